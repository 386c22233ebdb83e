using Muster.Domain.Identity;

namespace Muster.Domain.Tests.Identity;

public sealed class HashTests
{
    private const string Hex = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

    [Fact]
    public void TryParse_OfADigest_IsWrittenTheSame()
    {
        Assert.True(Sha256Hash.TryParse(Hex, out var hash));

        Assert.Equal(Hex, hash.ToString());
        Assert.Equal(hash, Sha256Hash.Of(Convert.FromHexString(Hex)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0011")]
    [InlineData("g0112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210")]
    [InlineData("00112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100")]
    public void TryParse_OfAnythingElse_IsRefused(string? text) => Assert.False(Sha256Hash.TryParse(text, out _));

    [Fact]
    public void Serial_OfBytes_IsWrittenTheSame()
    {
        var serial = CertificateSerial.Of(Convert.FromHexString(Hex[..32]));

        Assert.Equal(Hex[..32].ToUpperInvariant(), serial.ToString());
        Assert.Equal(Convert.FromHexString(Hex[..32]), serial.ToBytes());
    }
}
