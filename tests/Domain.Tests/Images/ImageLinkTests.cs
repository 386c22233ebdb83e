using System.Security.Cryptography;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Images;

public sealed class ImageLinkTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly LinkKey Key = new(1, [.. Enumerable.Range(0, 32).Select(i => (byte)i)], Now);
    private static readonly ImageLink Link = new(TenantId.Default, Id("CAM-000001"), Digest(1), Now.ToUnixTimeSeconds());

    [Fact]
    public void Sign_IsHmacSha256OfTheLinesAndNothingElse()
    {
        var text = $"muster image link 1\ndefault\nCAM-000001\n{Digest(1)}\n{Now.ToUnixTimeSeconds()}";
        var signature = new byte[ImageLink.SignatureBytes];

        Link.Sign(Key, signature);

        Assert.Equal(HMACSHA256.HashData(Key.Secret.ToArray(), System.Text.Encoding.UTF8.GetBytes(text)), signature);
    }

    [Fact]
    public void IsSigned_OfAnotherLinkOrKey_IsFalse()
    {
        var signature = new byte[ImageLink.SignatureBytes];
        Link.Sign(Key, signature);

        Assert.True(Link.IsSigned(Key, signature));
        Assert.False((Link with { Device = Id("CAM-000002") }).IsSigned(Key, signature));
        Assert.False((Link with { Image = Digest(2) }).IsSigned(Key, signature));
        Assert.False((Link with { ExpiresAt = Link.ExpiresAt + 1 }).IsSigned(Key, signature));
        Assert.False(Link.IsSigned(Key with { Secret = [.. new byte[32]] }, signature));
        Assert.False(Link.IsSigned(Key, signature.AsSpan(0, 31)));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    public void IsExpired_FromItsSecondOn(int seconds, bool isExpired) => Assert.Equal(isExpired, Link.IsExpired(Now.AddSeconds(seconds)));

    [Fact]
    public void Roll_WhenItIsTime_SignsWithTheNewOneAndKeepsTwoMore()
    {
        var keys = LinkKeys.None;
        for (var day = 0; day < 5; day++)
        {
            var decision = keys.Roll([(byte)day], Now.AddDays(day));
            Assert.Equal(new LinkKeyMade(day + 1), Assert.Single(decision.Events));
            keys = decision.Next;
        }

        Assert.Equal([5, 4, 3], keys.Keys.Select(key => key.Number));
        Assert.Equal(5, keys.Newest?.Number);
        Assert.NotNull(keys.Find(3));
        Assert.Null(keys.Find(2));
    }

    [Fact]
    public void Roll_BeforeItIsTime_ChangesNothing()
    {
        var keys = LinkKeys.None.Roll([1], Now).Next;

        var decision = keys.Roll([2], Now + LinkKeys.SigningPeriod - TimeSpan.FromSeconds(1));

        Assert.Empty(decision.Events);
        Assert.Same(keys, decision.Next);
    }

    [Fact]
    public void DelayOf_ManyDevices_IsEvenOverTheSpread()
    {
        var spread = TimeSpan.FromSeconds(9);
        var delays = Enumerable.Range(0, 10_000).Select(number => DownloadSpread.DelayOf(Id($"CAM-{number:000000}"), 3, spread)).ToList();

        var bySecond = delays.CountBy(delay => (int)delay.TotalSeconds).ToDictionary();
        Assert.Equal(Enumerable.Range(0, 10), bySecond.Keys.Order());
        Assert.All(bySecond.Values, count => Assert.InRange(count, 850, 1_150));
    }

    [Fact]
    public void DelayOf_TheSameGeneration_IsTheSameAndAnotherMoves()
    {
        var spread = TimeSpan.FromHours(1);

        Assert.Equal(
            DownloadSpread.DelayOf(Id("CAM-000001"), 3, spread), DownloadSpread.DelayOf(Id("CAM-000001"), 3, spread));
        Assert.NotEqual(
            DownloadSpread.DelayOf(Id("CAM-000001"), 3, spread), DownloadSpread.DelayOf(Id("CAM-000001"), 4, spread));
        Assert.Equal(TimeSpan.Zero, DownloadSpread.DelayOf(Id("CAM-000001"), 3, TimeSpan.Zero));
    }

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static ImageDigest Digest(byte first) => ImageDigest.Of([first, .. new byte[31]]);
}
