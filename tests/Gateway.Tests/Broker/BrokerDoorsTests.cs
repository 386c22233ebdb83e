using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Broker;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Broker;

/// <summary>What holds at the devices' own doors holds for who comes through a broker.</summary>
public sealed class BrokerDoorsTests
{
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(30);

    /// <summary>As at the devices' own doors; what waits is the broker's still, so that nothing is lost.</summary>
    [Theory]
    [InlineData(2.1, Topics.Hello)]
    [InlineData(61, Topics.Status)]
    public async Task Publish_WhenNoSiloAnswers_WaitsUntilOneDoes(double seconds, string kind)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        using var retries = new Retries(edge);
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        edge.Grains.Inventory.IsAway = true;
        edge.Pki.Clock.ShiftTimestamps(TimeSpan.FromSeconds(seconds));

        await client.PublishAsync(Samples.Serial, kind, kind == Topics.Hello ? Samples.Hello(Samples.Serial, 2) : Samples.Status(7));
        await Eventually.TrueAsync(() => retries.Count > 0, "a message that has to wait");
        Assert.Single(device.Admitted);
        Assert.Single(device.Received);
        edge.Grains.Inventory.IsAway = false;

        await Eventually.TrueAsync(() => device.Received.Count == 2, "the message that waited");
        Assert.Equal(2, device.Admitted.Count);
    }

    [Fact]
    public async Task Publish_OfMoreDevicesThanAreAllowed_DisplacesStrangersAndIsRefusedWhereThereAreNone()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, ("Muster:Broker:DevicesMax", "1"));
        var devices = edge.Services.GetRequiredService<BrokerDevices>();
        edge.Grains.Device("STRANGER").AdmitError = DeviceErrors.NotExpected(Id("STRANGER"));
        await using var stranger = await TestClient.ConnectedAsync(edge, "STRANGER");
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var other = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        await stranger.PublishAsync("STRANGER", Topics.Hello, Samples.Hello("STRANGER"));
        Assert.Contains("DEVICE_NOT_EXPECTED", await stranger.NextAsync("STRANGER", Topics.Rejection), StringComparison.Ordinal);
        Assert.NotNull(devices.Find(TenantId.Default, Id("STRANGER")));
        await edge.Services.GetRequiredService<BrokerInbox>().FinishAsync(FinishTimeout);

        await client.PublishAsync(Samples.Serial, Topics.Hello, Samples.Hello(Samples.Serial));
        await client.NextAsync(Samples.Serial, Topics.Ack);
        await other.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));

        Assert.Contains("LIMIT_REACHED", await other.NextAsync(Samples.OtherSerial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Admitted);
        Assert.Equal(1, devices.Count);
    }

    private static DeviceId Id(string serial) => DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial);

    /// <summary>Messages of this edge that were not possible at once.</summary>
    private sealed class Retries : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public Retries(DeviceEdge edge)
        {
            var meters = edge.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                // Other edges of this process have meters of the same name.
                if (instrument.Name == "muster_broker_retries_total" && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
            _listener.Start();
        }

        public long Count => Volatile.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
