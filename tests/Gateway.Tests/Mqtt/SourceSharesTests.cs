using System.Net;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class SourceSharesTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    public void Enter_OfTwoAddresses_IsOneShareInOneNetwork(string one, string other, bool isOne)
    {
        var shares = new SourceShares(placesPerSource: 4);

        Assert.Equal(isOne, ReferenceEquals(shares.Enter(IPAddress.Parse(one)), shares.Enter(IPAddress.Parse(other))));
    }

    [Fact]
    public void Leave_OfTheLastConnection_ForgetsTheNetwork()
    {
        var shares = new SourceShares(placesPerSource: 4);
        var first = shares.Enter(IPAddress.Loopback);
        var second = shares.Enter(IPAddress.Loopback);

        shares.Leave(first);
        Assert.Equal(1, shares.Count);
        shares.Leave(second);
        Assert.Equal(0, shares.Count);
    }
}
