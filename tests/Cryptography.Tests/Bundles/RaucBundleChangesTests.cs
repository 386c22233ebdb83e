using Muster.Cryptography.Bundles;
using Muster.Cryptography.Certificates;
using Muster.Domain.Images;

namespace Muster.Cryptography.Tests.Bundles;

/// <summary>Whatever of a bundle is changed, it is refused: no change is too small to count, and none throws.</summary>
public sealed class RaucBundleChangesTests(RaucTool rauc) : IClassFixture<RaucTool>
{
    [Theory]
    [InlineData(2_000, 1)]
    [InlineData(1_000, 4)]
    public void Verify_RandomChanges_AreRefusedAndNeverThrow(int rounds, int changes)
    {
        var random = new Random(20261129 + changes);
        for (var round = 0; round < rounds; round++)
        {
            var bundle = round % 2 == 0 ? rauc.Plain : rauc.Verity;
            var changed = Mutated(bundle, changes, random);
            if (changed.AsSpan().SequenceEqual(bundle))
            {
                continue;
            }

            var verdict = Verify(changed);

            Assert.True(verdict.Error is not null, $"Round {round} of {changes} changes was accepted.");
            Assert.Null(verdict.Signer);
        }
    }

    [Fact]
    public void Verify_EveryByteOfTheSignatureChanged_IsRefused()
    {
        var accepted = new List<string>();
        foreach (var bundle in new[] { rauc.Plain, rauc.Verity })
        {
            for (var position = RaucTool.PayloadOf(bundle); position < bundle.Length; position++)
            {
                foreach (var mask in new byte[] { 1, 2, 0x20, 0x80, 0xFF })
                {
                    var changed = bundle.ToArray();
                    changed[position] ^= mask;
                    if (Verify(changed).Error is null)
                    {
                        accepted.Add($"{position - RaucTool.PayloadOf(bundle)} ^ {mask}");
                    }
                }
            }
        }

        Assert.Empty(accepted);
    }

    /// <summary>Bytes changed, cut out, put in or copied; half of the places are in the end, where the interesting ones are.</summary>
    private static byte[] Mutated(byte[] bundle, int changes, Random random)
    {
        var bytes = bundle.ToList();
        for (var i = 0; i < changes && bytes.Count > 0; i++)
        {
            var start = random.Next(2) == 0 ? 0 : Math.Max(0, bytes.Count - 2_000);
            var position = random.Next(start, bytes.Count);
            var count = Math.Min(random.Next(1, 9), bytes.Count - position);
            switch (random.Next(5))
            {
                case 0 or 1:
                    bytes[position] ^= (byte)random.Next(1, 256);
                    break;
                case 2:
                    bytes.RemoveRange(position, count);
                    break;
                case 3:
                    bytes.InsertRange(position, bytes.GetRange(random.Next(bytes.Count - count + 1), count));
                    break;
                default:
                    bytes.RemoveRange(position, bytes.Count - position);
                    break;
            }
        }

        return [.. bytes];
    }

    private ImageVerdict Verify(byte[] bundle) =>
        new RaucBundleVerifier(TrustStore.FromPem(rauc.Publisher.TrustPem), new TrustStore([]))
            .Verify(new MemoryStream(bundle), RaucTool.Now);
}
