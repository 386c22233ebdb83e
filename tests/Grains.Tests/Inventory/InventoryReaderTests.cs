using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>All partitions in one question.</summary>
public sealed class InventoryReaderTests : InventorySilo
{
    private static readonly string[] s_names = [.. Enumerable.Range(10, 40).Select(number => $"CAM{number}")];

    [Fact]
    public async Task ListAsync_OverAllPartitions_GivesTheirRowsInOneOrder()
    {
        await FillAsync();
        var reader = Silo.Client.GetInventoryReader();

        var first = await reader.ListAsync(Query("") with { RowsMax = 25 });
        var second = await reader.ListAsync(Query("") with { RowsMax = 25, After = first.Page.Rows[^1].Row.Name });

        Assert.Equal((PartitionMap.CountMin, false), (first.Answered, first.Page.IsLast));
        Assert.Equal((PartitionMap.CountMin, true), (second.Answered, second.Page.IsLast));
        Assert.Equal(s_names, first.Page.Rows.Concat(second.Page.Rows).Select(row => row.Row.Name));
    }

    [Fact]
    public async Task CountAsync_OverAllPartitions_AddsUpTheirGroups()
    {
        await FillAsync();

        var counted = await Silo.Client.GetInventoryReader().CountAsync(Query("name = CAM1*"), "model");

        Assert.Equal((PartitionMap.CountMin, 10), (counted.Answered, counted.Counts.Total));
        Assert.Equal(10, Assert.Single(counted.Counts.Groups).Count);
    }

    [Fact]
    public async Task ListAsync_OfAFilterThatCannotBeRead_SaysWhatIsWrong()
    {
        var reply = await Silo.Client.GetInventoryReader().ListAsync(Query("nothing = 3"));

        Assert.NotNull(reply.Page.Error);
        Assert.Equal(PartitionMap.CountMin, reply.Answered);
    }

    private Task FillAsync() => Task.WhenAll(s_names.Select(ExpectAsync));
}
