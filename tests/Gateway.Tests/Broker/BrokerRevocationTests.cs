using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Revocations;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Broker;

/// <summary>Who loses his right is gone although the broker keeps his connection and he says nothing.</summary>
public sealed class BrokerRevocationTests
{
    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Tombstone_OfADeviceThatSaysNothing_EndsItsPresenceAndItsNextWordIsRefused(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        await using var client = await PresentAsync(edge, Samples.Serial);
        await using var other = await PresentAsync(edge, Samples.OtherSerial);
        device.AdmitError = DeviceErrors.Tombstone(IdOf(Samples.Serial));

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.End);

        await Eventually.TrueAsync(() => Last(edge, Samples.Serial) is { Connected: false }, "the end of presence");
        Assert.Equal(DisconnectReason.ClosedByServer, Last(edge, Samples.Serial)!.Value.Reason);
        Assert.True(Last(edge, Samples.OtherSerial)!.Value.Connected);
        if (way == DeviceWay.Broker)
        {
            await client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(7));
            Assert.Contains("DEVICE_DECOMMISSIONED", await client.NextAsync(Samples.Serial, Topics.Rejection), StringComparison.Ordinal);
        }
        else
        {
            await client.NextEndAsync();
        }

        Assert.Single(device.Received);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Judgement_OfADeviceBehindTheBroker_IsTheRecords(bool mayStay)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = await PresentAsync(edge, Samples.Serial);
        var asked = Judge(edge, mayStay);

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);

        await AssertJudgedAsync(edge, asked, mayStay, () => edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge));
    }

    /// <summary>Nobody can say what was missed: at a listener all come again, here each is asked about.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Partition_WhoseRevocationsAreLost_HasItsDevicesBehindTheBrokerJudged(bool mayStay)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = await PresentAsync(edge, Samples.Serial);
        var asked = Judge(edge, mayStay);
        var partition = edge.Services.GetRequiredService<PartitionMap>()
            .OfDevice(DeviceKey.Of(TenantId.Default, IdOf(Samples.Serial)));
        var open = edge.Services.GetRequiredService<OpenAccess>();

        open.EndPartition(partition);

        await AssertJudgedAsync(edge, asked, mayStay, () => open.EndPartition(partition));
    }

    private static Func<int> Judge(DeviceEdge edge, bool mayStay)
    {
        var asked = 0;
        edge.Grains.Device(Samples.Serial).Access = identity =>
        {
            Assert.True(identity.IsVouched);
            Interlocked.Increment(ref asked);
            return new AccessReply(mayStay ? null : DeviceErrors.NotExpected(IdOf(Samples.Serial)), null);
        };
        return () => Volatile.Read(ref asked);
    }

    private static async Task AssertJudgedAsync(DeviceEdge edge, Func<int> asked, bool mayStay, Action again)
    {
        await Eventually.TrueAsync(() => asked() == 1, "the record is asked");
        if (!mayStay)
        {
            await Eventually.TrueAsync(() => Last(edge, Samples.Serial) is { Connected: false }, "the end of presence");
            return;
        }

        // The next question is behind the first judgement, and is asked only of who has a session.
        again();
        await Eventually.TrueAsync(() => asked() == 2, "the record is asked again");
        Assert.True(Last(edge, Samples.Serial)!.Value.Connected);
    }

    private static async Task<TestClient> PresentAsync(DeviceEdge edge, string serial)
    {
        var client = await TestClient.ConnectedAsync(edge, serial);
        await client.PublishAsync(serial, Topics.Hello, Samples.Hello(serial));
        await client.NextAsync(serial, Topics.Ack);
        await Eventually.TrueAsync(() => Last(edge, serial) is { Connected: true }, "presence");
        return client;
    }

    private static SessionPresence? Last(DeviceEdge edge, string serial) => edge.Grains.Inventory.Reports
        .SelectMany(report => report.Sessions)
        .Where(session => session.Device.Value == serial)
        .Select(session => (SessionPresence?)session)
        .LastOrDefault();

    private static DeviceId IdOf(string serial) => DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial);
}
