using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class MaintenanceServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task VerifyInventory_OfAllPartitions_AnswersInTheirOrder()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        using var call = Client(edge, OperatorRole.Administrator).VerifyInventory(new V1.VerifyInventoryRequest(), cancellationToken: Stop);

        var parts = await call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop);

        Assert.Equal(Enumerable.Range(0, parts.Count), parts.Select(part => part.Partition));
        Assert.True(parts.Count >= PartitionMap.CountMin);
        Assert.Equal([5], parts.Where(part => part.Differences > 0).Select(part => part.Partition));
        Assert.Equal("A is not shown.", Assert.Single(parts[5].Examples));
        Assert.Equal(("", 0), (parts[6].SlowestReader, parts[6].SlowestReaderLag));
        Assert.Equal(("audit", FeedLimits.LagAlarm), (parts[7].SlowestReader, parts[7].SlowestReaderLag));
        Assert.Equal([8], parts.Where(part => part.FeedHeldUp).Select(part => part.Partition));
    }

    [Fact]
    public async Task RebuildInventory_OfOnePartition_DoesThatOne()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.RebuildInventoryRequest { Partition = 3 };
        using var call = Client(edge, OperatorRole.Administrator).RebuildInventory(request, cancellationToken: Stop);

        Assert.Equal([3], (await call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop)).Select(part => part.Partition));
    }

    [Fact]
    public async Task VerifyInventory_OfAPartitionThatIsNotThere_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        foreach (var partition in new[] { -1, 4096 })
        {
            var request = new V1.VerifyInventoryRequest { Partition = partition };
            using var call = Client(edge, OperatorRole.Administrator).VerifyInventory(request, cancellationToken: Stop);

            var (code, reason, _) = await Samples.RefusedAsync(() => call.ResponseStream.MoveNext(Stop));

            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
        }
    }

    [Fact]
    public async Task VerifyInventory_OfAnOperator_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        using var call = Client(edge, OperatorRole.Operator).VerifyInventory(new V1.VerifyInventoryRequest(), cancellationToken: Stop);

        Assert.Equal(StatusCode.PermissionDenied, (await Samples.RefusedAsync(() => call.ResponseStream.MoveNext(Stop))).Code);
    }

    private static V1.Maintenance.MaintenanceClient Client(OperatorsEdge edge, OperatorRole role) => new(edge.Connect("anna", role));
}
