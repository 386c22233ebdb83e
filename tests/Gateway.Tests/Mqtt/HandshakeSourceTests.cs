using System.Net;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class HandshakeSourceTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true, true)]
    [InlineData("192.0.2.1", "192.0.2.2", false, false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true, true)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true, true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", true, false)]
    [InlineData("2001:db8:0:ffff::1", "2001:db8:1::1", false, false)]
    public void Of_TwoAddresses_AreOneNetworkOrOneHost(string one, string other, bool isOneNetwork, bool isOneHost)
    {
        var (left, right) = (HandshakeSource.Of(IPAddress.Parse(one)), HandshakeSource.Of(IPAddress.Parse(other)));

        Assert.Equal(isOneNetwork, left.Network.Equals(right.Network));
        Assert.Equal(isOneHost, left.Host.Equals(right.Host));
    }

    /// <summary>What has no address counts too.</summary>
    [Fact]
    public void Of_NoAddress_IsOneNetwork() => Assert.Equal(HandshakeSource.Of(null), HandshakeSource.Of(null));
}
