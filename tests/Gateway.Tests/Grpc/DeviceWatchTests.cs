using Google.Rpc;
using Grpc.Core;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class DeviceWatchTests
{
    private const string Parent = "tenants/default";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchDevices_AfterTheSnapshot_SendsChangesAndUnsubscribes()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 5);
        using (var call = Client(edge).WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop))
        {
            var snapshot = new List<string>();
            while (await call.ResponseStream.MoveNext(Stop) && !call.ResponseStream.Current.SnapshotComplete)
            {
                snapshot.Add(call.ResponseStream.Current.Device.Name);
            }

            await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("NEW", version: 7));
            await call.ResponseStream.MoveNext(Stop);

            Assert.Equal(5, snapshot.Distinct().Count());
            Assert.Equal("tenants/default/devices/NEW", call.ResponseStream.Current.Device.Name);
        }

        await Edge.Eventually.TrueAsync(() => edge.Fleet.Rows.Values.All(rows => rows.Watchers == 0), "no watcher is left");
    }

    [Fact]
    public async Task WatchDevices_OfADeviceThatCeasesToMatch_TellsItsNameIfItWasSent()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("A"));
        using var call = Client(edge).WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        while (await call.ResponseStream.MoveNext(Stop) && !call.ResponseStream.Current.SnapshotComplete)
        {
        }

        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("NEVER-SENT", version: 2) with { HasLeft = true });
        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("A", version: 2) with { HasLeft = true });
        await call.ResponseStream.MoveNext(Stop);

        Assert.Equal("tenants/default/devices/A", call.ResponseStream.Current.Left);
        Assert.Null(call.ResponseStream.Current.Device);
    }

    [Fact]
    public async Task WatchDevices_BeyondTheLimit_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync(("Muster:Grpc:WatchersPerOperatorMax", "1"));
        var devices = Client(edge);
        using var first = devices.WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        await first.ResponseStream.MoveNext(Stop);
        using var second = devices.WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop);

        var (code, reason, status) = await Samples.RefusedAsync(() => second.ResponseStream.MoveNext(Stop));

        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_REACHED"), (code, reason));
        Assert.Equal("1", status.GetDetail<ErrorInfo>()!.Metadata["limit"]);
    }

    private static V1.Devices.DevicesClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));
}
