using Microsoft.Extensions.Options;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class OptionsTests
{
    [Theory]
    [InlineData("Muster:Mqtt:PacketBytesMax", "1")]
    [InlineData("Muster:Mqtt:Port", "70000")]
    [InlineData("Muster:Mqtt:MessagesPerSecond", "0")]
    [InlineData("Muster:Mqtt:ConnectTimeout", "00:00:00")]
    [InlineData("Muster:Mqtt:KeepAliveMax", "2.00:00:00")]
    [InlineData("Muster:DeviceHttps:Port", "-1")]
    public async Task Start_WithASettingOutOfRange_StopsWithItsName(string key, string value)
    {
        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => DeviceEdge.StartAsync((key, value)));

        Assert.Contains(key.Split(':')[^1], exception.Message, StringComparison.Ordinal);
    }
}
