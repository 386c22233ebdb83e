using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Muster.Gateway.CertificateStatus;

namespace Muster.Gateway.Tests.CertificateStatus;

public sealed class OcspGateTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void TryEnter_BeyondThePaceOfASecond_WaitsForTheNext()
    {
        var gate = Gate(perSecond: 3);

        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(Pass(gate)));
        Assert.False(Pass(gate));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Pass(gate));
    }

    [Fact]
    public void TryEnter_WhileMoreAreUnderWayThanASiloIsAsked_IsRefused()
    {
        var gate = Gate(perSecond: 1_000);
        var entered = Enumerable.Range(0, 1_000).Count(_ => gate.TryEnter());

        Assert.Equal(64, entered);
        gate.Leave();
        Assert.True(gate.TryEnter());
    }

    [Theory]
    [InlineData("http://pki.example.com", "127.0.0.1", 200, true)]
    [InlineData("", "*", 1, true)]
    [InlineData("pki.example.com", "127.0.0.1", 200, false)]
    [InlineData("ftp://pki.example.com", "127.0.0.1", 200, false)]
    [InlineData("", "localhost", 200, false)]
    [InlineData("", "127.0.0.1", 0, false)]
    public void Validate_OfOptions_SaysWhatIsWrong(string baseUrl, string address, int perSecond, bool isValid)
    {
        var result = new CertificateStatusOptionsValidator().Validate(
            null, new CertificateStatusOptions { BaseUrl = baseUrl, Address = address, OcspPerSecondMax = perSecond });

        Assert.Equal(isValid, result.Succeeded);
    }

    private OcspGate Gate(int perSecond) =>
        new(Options.Create(new CertificateStatusOptions { OcspPerSecondMax = perSecond }), _clock);

    private static bool Pass(OcspGate gate)
    {
        var isIn = gate.TryEnter();
        if (isIn)
        {
            gate.Leave();
        }

        return isIn;
    }
}
