using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Testing.Stores;
using StackExchange.Redis;

namespace Muster.Grains.Tests.Inventory;

/// <summary>What becomes of an inventory whose records are read while the store fails.</summary>
public sealed class InventoryRebuildTests() : InventorySilo("always")
{
    private const string Device = "A";

    private static readonly int Partition = PartitionOf(Device);

    private static readonly string Hash = $"{{p{Partition}}}:c";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IInventoryGrain Inventory => InventoryOf(Device);

    [Fact]
    public async Task RebuildAsync_BrokenOff_ShowsNoShorterListAfterwards()
    {
        await ExpectAsync(Device);
        Assert.Single(await NamesAsync(Device, ""));
        Scanner.Before = () => throw new StoreUnavailableException("Gone on purpose.");

        await Assert.ThrowsAsync<StoreUnavailableException>(Inventory.RebuildAsync);

        Assert.Single(await NamesAsync(Device, ""));
    }

    [Fact]
    public async Task RebuildAsync_OfAStoreThatIsKilledMeanwhileAndLosesWhatWasRead_ShowsWhatIsThere()
    {
        await ExpectAsync(Device);
        var device = ((GrainReference)Silo.Client.GetDevice(TenantId.Default, Id(Device))).GrainId;
        await EditAsync(Device, 1);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString);
        RedisValue[] fields = ["h", $"r:muster.device/default/{Device}", $"v:muster.device/default/{Device}"];
        var before = await raw.GetDatabase().HashGetAsync(Hash, fields);
        await EditAsync(Device, 2);
        var after = await raw.GetDatabase().HashGetAsync(Hash, fields);
        await SetAsync(before, from: 0);
        await raw.GetDatabase().HashDeleteAsync(Hash, "f3");
        await Silo.DeactivateAsync(device);
        Assert.Single(await NamesAsync(Device, "labels.n = 1"));

        // As with appendfsync everysec: the newest commit is there, and not on the disk. Its fact, which would tell, nobody has read.
        Scanner.Before = () => SetAsync(after, from: 1);
        Scanner.Between = async () =>
        {
            await SetAsync(before, from: 0);
            await Redis.RestartAsync(Cancel);
        };

        await Inventory.RebuildAsync();

        Assert.Single(await NamesAsync(Device, "labels.n = 1"));
        Assert.Empty(await NamesAsync(Device, "labels.n = 2"));
        await EditAsync(Device, 3);
        Assert.Single(await NamesAsync(Device, "labels.n = 3"));

        Task SetAsync(RedisValue[] values, int from) => raw.GetDatabase().HashSetAsync(
            Hash, [.. fields.Select((name, at) => new HashEntry(name, values[at])).Skip(from)]);
    }

    /// <summary>What came to a record that was read already is known from the feed alone, and the feed no longer has it.</summary>
    [Fact]
    public async Task RebuildAsync_OfAFeedThatIsTrimmedMeanwhileBehindItsEnd_BeginsAnew()
    {
        const int MoreThanIsKept = 600;
        await ExpectAsync(Device);
        Assert.Single(await NamesAsync(Device, ""));
        await using var store = StoreSession.Open(Redis.ConnectionString);
        var scans = 1;
        Scanner.Between = async () =>
        {
            await EditAsync(Device, 1);
            await store.WriteAsync(NoteRecord.IdIn(Partition, "other"), new NoteState(), new NoteRecord().Next("x", MoreThanIsKept));
            await store.Trimmer.TrimAsync(Partition, Cancel);
            Scanner.Before = () =>
            {
                scans++;
                return Task.CompletedTask;
            };
        };

        await Inventory.RebuildAsync();

        Assert.Equal(2, scans);
        Assert.Single(await NamesAsync(Device, "labels.n = 1"));
        Assert.Equal(0, (await Inventory.VerifyAsync()).Differences);
    }
}
