using System.Buffers;
using System.Text;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;

namespace Muster.Gateway.Tests.Axis;

public sealed class AxisMessageReaderTests
{
    private static readonly DeviceId Device = DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException();

    [Theory]
    [InlineData("tns:onvif/Device/tns:axis/Status/SystemReady", """{"data":{"ready":"0"}}""", AlarmKind.SystemNotReady, "", true)]
    [InlineData("Device/Status/SystemReady", """{"data":{"ready":"1"}}""", AlarmKind.SystemNotReady, "", false)]
    [InlineData(
        "tns:onvif/Device/tns:axis/HardwareFailure/StorageFailure/$source/disk_id/SD_DISK",
        """{"source":{"disk_id":"SD_DISK"},"key":{},"data":{"disruption":"1"}}""", AlarmKind.StorageFailure, "SD_DISK", true)]
    [InlineData(
        "tns1:Device/tnsaxis:HardwareFailure/StorageFailure",
        """{"source":{"disk_id":"SD_DISK"},"data":{"disruption":"0"}}""", AlarmKind.StorageFailure, "SD_DISK", false)]
    [InlineData(
        "tns:axis/Storage/Alert/$source/disk_id/SD_DISK",
        """{"source":{"disk_id":"SD_DISK"},"data":{"overall_health":"-3","wear":"-3","alert":"1","temperature":"-3"}}""",
        AlarmKind.StorageFailure, "alert SD_DISK", true)]
    [InlineData("axis:Storage/Disruption", """{"source":{"disk_id":"NetworkShare"},"data":{"disruption":"true"}}""",
        AlarmKind.StorageFailure, "NetworkShare", true)]
    [InlineData(
        "onvif:Device/axis:Status/Temperature/Above_or_below", """{"source":{},"data":{"sensor_level":"1"}}""",
        AlarmKind.TemperatureOutOfRange, "", true)]
    [InlineData("Device/Status/Temperature/Below", """{"data":{"sensor_level":"1"}}""", AlarmKind.TemperatureOutOfRange, "below", true)]
    [InlineData(
        "Device/HardwareFailure/TemperatureCritical", """{"source":{"temperature":"2"},"data":{"temperature_critical":"1"}}""",
        AlarmKind.TemperatureOutOfRange, "critical 2", true)]
    [InlineData(
        "Device/HardwareFailure/FanFailure/$source/fan/1", """{"source":{"fan":1},"data":{"fan_failure":true}}""",
        AlarmKind.FanFailure, "1", true)]
    [InlineData(
        "Device/HardwareFailure/PowerSupplyFailure", """{"source":{"power":"0"},"data":{"power_critical":1}}""",
        AlarmKind.PowerSupplyFailure, "0", true)]
    [InlineData(
        "Device/Casing/Open", """{"source":{"name":"JunctionBox"},"data":{"Open":"1"}}""",
        AlarmKind.CasingOpen, "JunctionBox", true)]
    [InlineData("Device/Network/Lost", """{"source":{"interface":"eth0"},"data":{"lost":"0"}}""", AlarmKind.NetworkLost, "eth0", false)]
    [InlineData(
        "tns1:Device/tnsaxis:Certificate/Expired", """{"source":{"alias":"mqtt"},"data":{"whatever":"1"}}""",
        AlarmKind.CertificateExpiry, "mqtt", true)]
    public void Read_OfAnEventOfHealth_IsItsAlarm(string topic, string message, AlarmKind kind, string source, bool isRaised)
    {
        var payload = $$"""{"topic":"x:y","timestamp":1590045190230,"serial":"b8a44f000001","message":{{message}}}""";

        var appended = Read($"event/{topic}", payload);
        var inPayload = Read("event", payload.Replace("x:y", topic, StringComparison.Ordinal));

        Assert.Null(appended.Error);
        Assert.Equal(new AlarmSignal(kind, source, isRaised, IsMomentary: false), appended.Signal);
        Assert.Equal(appended, inPayload);
    }

    [Fact]
    public void Read_OfCameraTampering_IsMomentary() => Assert.Equal(
        new AlarmSignal(AlarmKind.Tampering, "1", IsRaised: true, IsMomentary: true),
        Read(
            "event/tns:onvif/VideoSource/tns:axis/Tampering",
            """{"message":{"source":{"channel":"1"},"data":{"tampering":"1"}}}""").Signal);

    [Theory]
    [InlineData("event/tns:onvif/Device/tns:axis/Sensor/PIR/$source/sensor/0", "not looked at")]
    [InlineData("connection", "{\"connected\":true}")]
    [InlineData("event/connection/other", "{\"connected\":true}")]
    [InlineData("presence", "")]
    [InlineData("eventual/Device/Status/SystemReady", "")]
    [InlineData("event/Device/Status/Temperature/Inside", "{}")]
    [InlineData("event", """{"topic":"onvif:Device/axis:Sensor/PIR"}""")]
    [InlineData("event", """{"message":{}}""")]
    public void Read_OfWhatDoesNotConcernTheFleet_IsNothing(string topic, string payload) =>
        Assert.Equal(default, Read(topic, payload));

    [Theory]
    [InlineData("""{"connected":true}""", true)]
    [InlineData("""{"description":"Connected","connected":"true","serial":"B8A44F000001"}""", true)]
    [InlineData("""{"connected":false,"more":{"connected":true}}""", false)]
    public void Read_OfAMessageOfTheConnection_IsWhatItSays(string payload, bool isConnected) =>
        Assert.Equal(new AxisMessage(null, null) { IsConnected = isConnected }, Read("event/connection", payload));

    /// <summary>An operator's own words: taken for a sign of life they would make a lost device present.</summary>
    [Theory]
    [InlineData("offline")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"connected":"perhaps"}""")]
    [InlineData("""{"connected":true""")]
    public void Read_OfAMessageOfTheConnectionThatSaysNeither_IsInvalid(string payload) =>
        Assert.Equal("PAYLOAD_INVALID", Read("event/connection", payload).Error?.Reason);

    [Fact]
    public void Read_OfAnEndlessTopic_IsNothing() =>
        Assert.Equal(default, Read($"event/{string.Join('/', Enumerable.Repeat("Device", 9000))}", "{}"));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"message\":{}}")]
    [InlineData("{\"message\":[]}")]
    [InlineData("{\"message\":{\"data\":{\"ready\":\"2\"}}}")]
    [InlineData("{\"message\":{\"data\":{\"ready\":{\"a\":1}}}}")]
    [InlineData("{\"message\":{\"data\":{\"ready\":\"1\"}}} {")]
    [InlineData("{\"message\":{\"source\":{\"x\":\"a\\u0007\"},\"data\":{\"ready\":\"1\"}}}")]
    [InlineData("{\"message\":{\"source\":{\"x\":[\"a\"]},\"data\":{\"ready\":\"1\"}}}")]
    [InlineData("{\"x\":[[[[[[[[[[1]]]]]]]]]],\"message\":{\"data\":{\"ready\":\"1\"}}}")]
    public void Read_OfAMalformedEvent_IsRefused(string payload) =>
        Assert.Equal("PAYLOAD_INVALID", Read("event/Device/Status/SystemReady", payload).Error?.Reason);

    [Fact]
    public void Read_OfALongSource_IsRefused() => Assert.Equal(
        "PAYLOAD_INVALID",
        Read(
            "event/Storage/Alert", "{\"message\":{\"source\":{\"d\":\"" + new string('x', 60) + "\"},\"data\":{\"alert\":\"1\"}}}")
            .Error?.Reason);

    [Fact]
    public void Read_OfALargeEvent_IsRefused() => Assert.Equal(
        "PAYLOAD_TOO_LARGE",
        Read("event/Device/Status/SystemReady", new string(' ', AxisMessageReader.PayloadBytesMax + 1)).Error?.Reason);

    [Theory]
    [InlineData("\"B8A44F000002\"")]
    [InlineData("7")]
    public void Read_OfAnotherSerial_IsRefused(string serial) => Assert.Equal(
        "SERIAL_MISMATCH",
        Read("event/Device/Status/SystemReady", "{\"serial\":" + serial + ",\"message\":{\"data\":{\"ready\":\"1\"}}}").Error?.Reason);

    [Fact]
    public void Read_OfAnyMutatedEvent_ThrowsNothing()
    {
        var random = new Random(4);
        var seed = """{"topic":"onvif:Device/axis:Status/SystemReady","timestamp":1,"message":{"source":{},"data":{"ready":"0"}}}"""u8;
        for (var run = 0; run < 20_000; run++)
        {
            var bytes = seed.ToArray();
            for (var change = random.Next(1, 5); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            AxisMessageReader.Read(Sequence("event"u8.ToArray()), Sequence(bytes[..random.Next(bytes.Length + 1)]), Device);
            AxisMessageReader.Read(Sequence("event/Device/Status/SystemReady"u8.ToArray()), Sequence(bytes), Device);
        }
    }

    [Theory]
    [InlineData("axis/B8A44F000001/event", true)]
    [InlineData("axis/b8a44f000001/event/x", true)]
    [InlineData("axis/B8A44F000002/event", false)]
    [InlineData("axis/B8A44F000001", false)]
    [InlineData("axis//event", false)]
    [InlineData("axes/B8A44F000001/event", false)]
    public void TryReadOwn_OfATopic_TakesTheDevicesOwnInAnyCase(string topic, bool isOwn) => Assert.Equal(
        isOwn, AxisTopic.TryReadOwn(Sequence(Encoding.UTF8.GetBytes(topic)), "B8A44F000001"u8, out _));

    private static AxisMessage Read(string topic, string payload) =>
        AxisMessageReader.Read(Sequence(Encoding.UTF8.GetBytes(topic)), Sequence(Encoding.UTF8.GetBytes(payload)), Device);

    /// <summary>In two parts, as a socket gives it.</summary>
    private static ReadOnlySequence<byte> Sequence(byte[] bytes)
    {
        var first = new Part(bytes.AsMemory(0, bytes.Length / 2), null);
        var second = new Part(bytes.AsMemory(bytes.Length / 2), first);
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, Part? before)
        {
            Memory = memory;
            if (before is not null)
            {
                before.Next = this;
                RunningIndex = before.Memory.Length;
            }
        }
    }
}
