using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using MQTTnet.Packets;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>A trace that a device began goes on at the gateway.</summary>
public sealed class TraceTests : IDisposable
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private const string Parent = $"00-{Trace}-b7ad6b7169203331-01";

    private static readonly string StatusTopic = Topics.Up(Samples.Serial, Topics.Status);

    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DeviceTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceFlags == ActivityTraceFlags.Recorded
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Publish_WithATraceParent_IsAPartOfThatTrace()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        await PublishAsync(
            client, [.. RawPackets.UserProperty("other", "x"), .. RawPackets.UserProperty("traceparent", Parent),
                .. RawPackets.UserProperty("tracestate", "vendor=1")]);

        var activity = Assert.Single(_ended);
        Assert.Equal(
            (Trace, "b7ad6b7169203331", "vendor=1", "device status", true),
            (activity.TraceId.ToHexString(), activity.ParentSpanId.ToHexString(), activity.TraceStateString, activity.OperationName,
                activity.HasRemoteParent));
        Assert.Equal(Samples.Serial, activity.GetTagItem("muster.device"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-and-more")]
    public async Task Publish_WithATraceParentThatIsNone_IsTakenWithoutATrace(string parent)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        await PublishAsync(client, RawPackets.UserProperty("traceparent", parent));

        Assert.Empty(_ended);
        Assert.Single(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public void TryReadParent_OfAMessageWithoutOne_AllocatesNothing()
    {
        var packet = RawPackets.Publish(StatusTopic, 7, "{}", RawPackets.UserProperty("other", "x"));
        Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(new ReadOnlySequence<byte>(packet), packet.Length, out var frame));
        Assert.True(PublishFrame.TryRead(frame, isVersion5: true, out var publish));
        Assert.False(DeviceTraces.TryReadParent(publish, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            Assert.False(DeviceTraces.TryReadParent(publish, out _));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static async Task<RawClient> ConnectAsync(DeviceEdge edge)
    {
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var client = await RawClient.ConnectAsync(edge, certificate);
        await client.SendAsync(RawPackets.Connect(Samples.Serial, []));
        await client.ReceiveAsync<MqttConnAckPacket>();
        return client;
    }

    /// <summary>With a PINGRESP behind its PUBACK the message is over.</summary>
    private static async Task PublishAsync(RawClient client, byte[] properties)
    {
        await client.SendAsync([.. RawPackets.Publish(StatusTopic, 7, Samples.Status(), properties), .. RawPackets.PingReq]);
        Assert.Equal(0x40, (await client.ReceiveAsync())[0]);
        Assert.Equal(0xD0, (await client.ReceiveAsync())[0]);
    }
}
