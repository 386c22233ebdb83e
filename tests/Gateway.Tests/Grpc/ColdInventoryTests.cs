using Grpc.Core;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Questions that come while partitions are being read from the store.</summary>
public sealed class ColdInventoryTests
{
    private const string Parent = "tenants/default";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Questions_WhilePartitionsAreRead_WaitForAllOfThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 30);

        edge.Fleet.InventoryOf(3).Unanswered = 2;
        edge.Fleet.InventoryOf(7).Unanswered = 4;
        var counts = await Client(edge).CountDevicesAsync(new V1.CountDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        edge.Fleet.InventoryOf(3).Unanswered = 2;
        var listed = await Client(edge).ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, PageSize = 100 }, cancellationToken: Stop);

        Assert.Equal((30, 30), (counts.Total, listed.Devices.Count));
        Assert.Equal(0, edge.Fleet.InventoryOf(3).Unanswered);
    }

    [Fact]
    public async Task CountDevices_OfAPartitionThatIsReadForLonger_SaysHowManyHaveAnswered()
    {
        // A question of its own may take 15 s of it: one more is left to insist.
        await using var edge = await OperatorsEdge.StartAsync(("Muster:Grpc:CallTimeout", "00:00:17"));
        await Samples.FillAsync(edge, 30);
        edge.Fleet.InventoryOf(3).Unanswered = int.MaxValue;

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CountDevicesAsync(new V1.CountDevicesRequest { Parent = Parent }, cancellationToken: Stop));

        Assert.Equal((StatusCode.Unavailable, "TEMPORARILY_UNAVAILABLE"), (code, reason));
        Assert.Contains("being read from the store: 15 of 16 partitions have answered", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_WhileAllSilosAreOfAnEarlierVersion_AreMadeByTheGateway()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 30);
        edge.Fleet.HasReader = false;

        var counts = await Client(edge).CountDevicesAsync(new V1.CountDevicesRequest { Parent = Parent }, cancellationToken: Stop);
        var first = await Client(edge).ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, PageSize = 20 }, cancellationToken: Stop);

        // The first new silo is there between two pages.
        edge.Fleet.HasReader = true;
        var second = await Client(edge).ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, PageSize = 20, PageToken = first.NextPageToken }, cancellationToken: Stop);

        Assert.Equal((30, 20, 10), (counts.Total, first.Devices.Count, second.Devices.Count));
        Assert.Equal(30, first.Devices.Concat(second.Devices).Select(device => device.Name).Distinct().Count());
        Assert.Equal("", second.NextPageToken);
    }

    private static V1.Devices.DevicesClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Viewer));
}
