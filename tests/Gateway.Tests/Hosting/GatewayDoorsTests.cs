using Microsoft.Extensions.Configuration;
using Muster.Gateway.Hosting;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Tests.Hosting;

public sealed class GatewayDoorsTests
{
    [Theory]
    [InlineData(null, GatewayDoors.All)]
    [InlineData("", GatewayDoors.All)]
    [InlineData("all", GatewayDoors.All)]
    [InlineData("devices", GatewayDoors.Devices)]
    [InlineData("operators", GatewayDoors.Operators)]
    public void Doors_OfASetting_AreThoseThatItNames(string? setting, GatewayDoors expected) =>
        Assert.Equal(expected, new InstallationSettings(ConfigurationOf(setting)).Doors);

    [Fact]
    public void Doors_OfAnUnknownWord_AreRefusedWithThoseThatThereAre()
    {
        var refused = Assert.Throws<StartRefusedException>(() => new InstallationSettings(ConfigurationOf("mqtt")));

        Assert.Equal("Muster:Edge:Doors is 'mqtt': a gateway opens its doors for 'all', 'devices' or 'operators'.", refused.Message);
    }

    private static IConfiguration ConfigurationOf(string? doors) =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Muster:Edge:Doors", doors)]).Build();
}
