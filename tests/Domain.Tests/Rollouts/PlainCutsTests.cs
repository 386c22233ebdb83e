using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>A spec without filters and strata is cut as it was before there were any: a plan that was stored then stays good.</summary>
public sealed class PlainCutsTests
{
    [Fact]
    public void Cut_OfFiveHundredPlainSpecs_IsWhatItWasBeforeThereWereFilters()
    {
        var text = new StringBuilder();
        for (var sample = 0; sample < 500; sample++)
        {
            var random = new Random(sample); // the seeded generator of the runtime is the same in every version
            var total = random.Next(1, 400);
            var connectedPercent = random.Next(101);
            ImmutableArray<MemberPoint> members =
                [.. Enumerable.Range(0, total).Select(i => MemberPoint.Of(Device(i), sample, random.Next(100) < connectedPercent))];
            ImmutableArray<WaveSpec> waves = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Wave(
                random.Next(2) == 0 ? Amount.Count(random.Next(1, 60)) : Amount.Percent(random.Next(1, 101)),
                connectedOnly: random.Next(2) == 0))];
            foreach (var cut in WaveCutter.Cut(waves, members))
            {
                text.Append(CultureInfo.InvariantCulture, $"{cut.UpToHash:x16} {cut.UpToDevice} {cut.ConnectedOnly} ");
                text.Append(CultureInfo.InvariantCulture, $"{cut.Members} {cut.PassedOver} {cut.Spec}\n");
            }
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
        Assert.StartsWith("ec898ef2211924daf7f8db9eebe28c1a", hash, StringComparison.Ordinal);
    }
}
