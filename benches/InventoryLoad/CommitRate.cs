using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.EmbeddedStore;
using Muster.Silo.Hosting;
using Muster.Storage;
using Orleans.Storage;
using StackExchange.Redis;

namespace Muster.InventoryLoad;

/// <summary>
/// Commits a second through the real storage provider, beside the raw client's HSET of the same bytes, awaited by as many callers with the
/// same durability. Rounds visit them in turn.
/// </summary>
/// <param name="only">One kind of visit alone, for a profiler; null for all.</param>
internal sealed class CommitRate(string? only, TextWriter output)
{
    private const int Few = 256;
    private const int Many = 4_096;
    private const int Rounds = 9;

    /// <summary>As often as the tail of a partition trims its feed.</summary>
    private const int CommitsBetweenTrims = 1_024;

    /// <summary>As many entries as a trimmed feed keeps.</summary>
    private const int RawFacts = 512;

    private static readonly TimeSpan Visit = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <summary>Against a redis-server, which acknowledges what its own settings make durable.</summary>
    public async Task MeasureRedisAsync(string store)
    {
        await using var services = Open(store).BuildServiceProvider();
        await MeasureAsync(services, store, () => Task.CompletedTask, CpuSecondsAsync);
    }

    /// <summary>Against the embedded store, whose log is committed before every acknowledgement; for the raw client too.</summary>
    public async Task MeasureEmbeddedAsync(string folder)
    {
        await using var server = EmbeddedStoreServer.Start(folder);
        var barrier = new EmbeddedStoreBarrier(server);
        await using var services = Open(server.ConnectionString).AddSingleton<IDurabilityBarrier>(barrier).BuildServiceProvider();
        await MeasureAsync(
            services, server.ConnectionString, () => barrier.PassAsync(CancellationToken.None), _ => Task.FromResult(0.0));
    }

    /// <param name="serverCpu">Seconds that a server in a process of its own has used.</param>
    private async Task MeasureAsync(ServiceProvider services, string store, Func<Task> barrier, Func<IDatabase, Task<double>> serverCpu)
    {
        var storage = services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        var (trimmer, partitions) = (services.GetRequiredService<IFeedTrimmer>(), services.GetRequiredService<PartitionMap>());
        var states = await CreateAsync(storage);
        await using var raw = await ConnectionMultiplexer.ConnectAsync(store);
        var database = raw.GetDatabase();
        var sizes = await SizesAsync(database, partitions);
        var commits = new int[partitions.Count];
        async Task NextAsync(int caller)
        {
            await CommitAsync(storage, states[caller], RateRecord.IdOf(caller));
            var partition = partitions.OfDevice(RateRecord.KeyOf(caller));
            if (Interlocked.Increment(ref commits[partition]) % CommitsBetweenTrims == 0)
            {
                await trimmer.TrimAsync(partition, CancellationToken.None);
            }
        }

        var (stamp, record, fact) = (new byte[24], new byte[sizes.Record], new byte[sizes.Fact]);
        var written = 0;
        async Task SetAsync(int caller)
        {
            // Heads of hashes that no partition uses.
            RedisKey key = string.Create(CultureInfo.InvariantCulture, $"{{raw{caller % partitions.Count}}}:c");
            HashEntry[] fields =
            [
                new($"v:{caller}", stamp), new($"r:{caller}", record), new($"f{Interlocked.Increment(ref written) % RawFacts}", fact),
            ];
            await database.HashSetAsync(key, fields);
            await barrier();
        }

        (string Name, int Callers, Func<int, Task> Action)[] visits =
            [("few", Few, NextAsync), ("raw", Few, SetAsync), ("many", Many, NextAsync)];
        visits = [.. visits.Where(visit => only is null || visit.Name == only)];
        foreach (var visit in visits)
        {
            await RunAsync(visit.Callers, visit.Action, WarmUp);
        }

        await VisitAsync(visits, () => serverCpu(database));
        Tell("record_bytes", sizes.Record);
        Tell("fact_bytes", sizes.Fact);
    }

    private async Task VisitAsync((string Name, int Callers, Func<int, Task> Action)[] visits, Func<Task<double>> serverCpu)
    {
        async Task<(double Cpu, double ServerCpu, long Allocated)> UsedAsync() => (
            Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds, await serverCpu(), GC.GetTotalAllocatedBytes());

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (name, callers, action) in visits)
            {
                var before = await UsedAsync();
                var rate = await RunAsync(callers, action, Visit);
                var after = await UsedAsync();
                var commits = rate * Visit.TotalSeconds;
                Tell($"{name}_{round}", rate);
                Tell($"cpu_us_{name}_{round}", (after.Cpu - before.Cpu) * 1e6 / commits);
                Tell($"server_cpu_us_{name}_{round}", (after.ServerCpu - before.ServerCpu) * 1e6 / commits);
                Tell($"allocated_{name}_{round}", (after.Allocated - before.Allocated) / commits);
            }
        }
    }

    private static async Task<GrainState<RateRecord>[]> CreateAsync(IGrainStorage storage)
    {
        var states = new GrainState<RateRecord>[Many];
        await Parallel.ForAsync(0, Many, new ParallelOptions { MaxDegreeOfParallelism = Few }, async (caller, _) =>
        {
            states[caller] = new GrainState<RateRecord> { State = new RateRecord() };
            await CommitAsync(storage, states[caller], RateRecord.IdOf(caller));
        });
        return states;
    }

    private static Task CommitAsync(IGrainStorage storage, GrainState<RateRecord> state, GrainId id)
    {
        state.State = state.State!.Next(DateTimeOffset.UnixEpoch);
        return storage.WriteStateAsync("rate", id, state);
    }

    private static async Task<(int Record, int Fact)> SizesAsync(IDatabase database, PartitionMap partitions)
    {
        var key = $"{{p{partitions.OfDevice(RateRecord.KeyOf(0))}}}:c";
        var head = await database.HashGetAsync(key, "h");
        var record = (byte[])(await database.HashGetAsync(key, $"r:{RateRecord.IdOf(0)}"))!;
        var fact = (byte[])(await database.HashGetAsync(key, $"f{head}"))!;
        return (record.Length, fact.Length);
    }

    /// <summary>Acknowledged a second: every caller waits for one before it asks for the next.</summary>
    private static async Task<double> RunAsync(int callers, Func<int, Task> action, TimeSpan time)
    {
        var acknowledged = 0L;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                await action(caller);
                Interlocked.Increment(ref acknowledged);
            }
        })));
        return acknowledged / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static IServiceCollection Open(string store) =>
        new ServiceCollection().AddMusterStorage(options => options.ConnectionString = store);

    /// <summary>What a redis-server has used of a processor since its start.</summary>
    private static async Task<double> CpuSecondsAsync(IDatabase database)
    {
        var told = (string)(await database.ExecuteAsync("INFO", "cpu"))!;
        return told.Split("\r\n").Where(line => line.StartsWith("used_cpu_sys:", StringComparison.Ordinal)
                || line.StartsWith("used_cpu_user:", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture));
    }

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.###}"));
}
