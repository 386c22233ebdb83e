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
        var request = new V1.WatchDevicesRequest { Parent = Parent, Filter = "connected = false" };
        using var call = Client(edge).WatchDevices(request, cancellationToken: Stop);
        await ReadToMarkerAsync(call);

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

    [Fact]
    public async Task WatchDevices_WithAResumeToken_SendsWhatChangedInsteadOfTheSnapshot()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 5);
        var request = new V1.WatchDevicesRequest { Parent = Parent };
        string token;
        using (var call = Client(edge).WatchDevices(request, cancellationToken: Stop))
        {
            token = (await ReadToMarkerAsync(call))[^1].ResumeToken;
        }

        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("NEW", version: 7));
        await edge.Fleet.InventoryOf(3).PutAsync(Samples.Row("GONE", version: 8) with { HasLeft = true });
        request.ResumeToken = token;
        using var resumed = Client(edge).WatchDevices(request, cancellationToken: Stop);
        var told = await ReadToMarkerAsync(resumed);

        Assert.Equal(["tenants/default/devices/NEW", "", ""], told.Select(message => message.Device?.Name ?? ""));
        Assert.Equal(["", "tenants/default/devices/GONE", ""], told.Select(message => message.Left));
        Assert.NotEqual("", told[^1].ResumeToken);
        Assert.NotEqual(token, told[^1].ResumeToken);
    }

    [Fact]
    public async Task WatchDevices_WithATokenThatDoesNotDo_IsRefusedWithTheReason()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.WatchDevicesRequest { Parent = Parent };
        using (var call = Client(edge).WatchDevices(request, cancellationToken: Stop))
        {
            request.ResumeToken = (await ReadToMarkerAsync(call))[^1].ResumeToken;
        }

        edge.Fleet.InventoryOf(2).IsTrimmed = true;

        Assert.Equal("RESUME_TOKEN_EXPIRED", await ReasonAsync(edge, request));
        Assert.Equal("RESUME_TOKEN_INVALID", await ReasonAsync(edge, new V1.WatchDevicesRequest(request) { Filter = "state = EXPECTED" }));
        Assert.Equal("RESUME_TOKEN_INVALID", await ReasonAsync(edge, new V1.WatchDevicesRequest(request) { ResumeToken = "a b" }));
        Assert.Equal("RESUME_TOKEN_INVALID", await ReasonAsync(
            edge, new V1.WatchDevicesRequest(request) { ResumeToken = request.ResumeToken[..^8] }));
    }

    [Fact]
    public async Task WatchDevices_OfAChangeThatWasLostOnTheWay_MakesUpForItWithTheRenewal()
    {
        await using var edge = await OperatorsEdge.StartAsync(("Muster:Grpc:WatchRenewInterval", "00:00:00.200"));
        using var call = Client(edge).WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        await ReadToMarkerAsync(call);
        edge.Fleet.InventoryOf(2).IsDeaf = true;

        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("LOST", version: 7));
        while (await call.ResponseStream.MoveNext(Stop) && call.ResponseStream.Current.Device is null)
        {
        }

        Assert.Equal("tenants/default/devices/LOST", call.ResponseStream.Current.Device?.Name);
        await call.ResponseStream.MoveNext(Stop);
        Assert.NotEqual("", call.ResponseStream.Current.ResumeToken);
    }

    [Fact]
    public async Task WatchDevices_OfAChangeWhileAnInventoryWasAway_MakesUpForItWithTheRenewal()
    {
        await using var edge = await OperatorsEdge.StartAsync(("Muster:Grpc:WatchRenewInterval", "00:00:00.200"));
        using var call = Client(edge).WatchDevices(new V1.WatchDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        await ReadToMarkerAsync(call);

        edge.Fleet.InventoryOf(2).Restart();
        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("MISSED", version: 7));
        while (await call.ResponseStream.MoveNext(Stop) && call.ResponseStream.Current.Device is null)
        {
        }

        Assert.Equal("tenants/default/devices/MISSED", call.ResponseStream.Current.Device?.Name);
    }

    [Fact]
    public async Task WatchDevices_OfAFilterThatLooksAtTheClock_GivesNoToken()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.WatchDevicesRequest { Parent = Parent, Filter = "state_changed_at < -1h" };
        using var call = Client(edge).WatchDevices(request, cancellationToken: Stop);

        Assert.Equal("", (await ReadToMarkerAsync(call))[^1].ResumeToken);
    }

    private static async Task<string> ReasonAsync(OperatorsEdge edge, V1.WatchDevicesRequest request)
    {
        using var call = Client(edge).WatchDevices(request, cancellationToken: Stop);
        return (await Samples.RefusedAsync(() => call.ResponseStream.MoveNext(Stop))).Reason;
    }

    /// <summary>All messages up to the marker, and the marker.</summary>
    private static async Task<List<V1.WatchDevicesResponse>> ReadToMarkerAsync(AsyncServerStreamingCall<V1.WatchDevicesResponse> call)
    {
        var told = new List<V1.WatchDevicesResponse>();
        while (await call.ResponseStream.MoveNext(Stop))
        {
            told.Add(call.ResponseStream.Current);
            if (told[^1].SnapshotComplete)
            {
                return told;
            }
        }

        throw new InvalidOperationException("The watch ended before its marker.");
    }

    private static V1.Devices.DevicesClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));
}
