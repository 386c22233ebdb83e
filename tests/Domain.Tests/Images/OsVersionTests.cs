using CsCheck;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Images;

public sealed class OsVersionTests
{
    private static readonly Gen<string> Texts = Gen.Int[0, 30].Array[1, 5].Select(parts => string.Join('.', parts));

    [Theory]
    [InlineData("9.80.3.12", "9.80.22", -1)]
    [InlineData("8.40.4.6", "8.40.35", -1)]
    [InlineData("6.50.5.7", "6.50.5.21", -1)]
    [InlineData("12.11", "12.11.0", 0)]
    [InlineData("12.11.77", "12.9.99", 1)]
    [InlineData("11.6+snapshot-20230615", "11.6", 0)]
    [InlineData("11.6+snapshot-20230615", "11.6.1", -1)]
    [InlineData("13", "12.11.77", 1)]
    [InlineData("1.65.4", "1.84.4", -1)]
    public void CompareTo_NumberByNumber(string left, string right, int order)
    {
        Assert.Equal(order, Math.Sign(Parse(left).CompareTo(Parse(right))));
        Assert.Equal(-order, Math.Sign(Parse(right).CompareTo(Parse(left))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("12.")]
    [InlineData(".12")]
    [InlineData("12..1")]
    [InlineData("12.x")]
    [InlineData("-1.2")]
    [InlineData("+1")]
    [InlineData("1.2+")]
    [InlineData("1.2+a b")]
    [InlineData(" 1.2")]
    [InlineData("1.2\n")]
    [InlineData("١.٢")]
    [InlineData("1.2.3.4.5.6.7.8.9")]
    [InlineData("1234567890.1")]
    [InlineData("1.2+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void TryParse_AnythingElse_IsNoVersion(string? text) => Assert.False(OsVersion.TryParse(text, out _));

    [Fact]
    public void Line_IsTheFirstTwoNumbers()
    {
        Assert.Equal("12.11", Parse("12.11.77").Line);
        Assert.Equal("13.0", Parse("13").Line);
    }

    [Fact]
    public void CompareTo_IsATotalOrderThatAgreesWithEquality() => Gen.Select(Texts, Texts, Texts).Sample((a, b, c) =>
    {
        var (x, y, z) = (Parse(a), Parse(b), Parse(c));
        Assert.Equal(Math.Sign(x.CompareTo(y)), -Math.Sign(y.CompareTo(x)));
        Assert.Equal(x.CompareTo(y) == 0, x.Equals(y));
        Assert.True(!(x <= y && y <= z) || x <= z);
        Assert.True(x != y || x.GetHashCode() == y.GetHashCode());
    });

    [Fact]
    public void Default_IsZero() => Assert.Equal(default, Parse("0.0"));

    private static OsVersion Parse(string text) => OsVersion.TryParse(text, out var version) ? version : throw new FormatException(text);
}
