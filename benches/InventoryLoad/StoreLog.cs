using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.EmbeddedStore;
using Muster.Fleet;
using Muster.Grains.Devices;
using Muster.Silo.Hosting;
using Muster.Storage;
using Orleans.Storage;

namespace Muster.InventoryLoad;

/// <summary>Many commits on few devices, in the embedded store: what its folder holds, and how long it takes to open again.</summary>
internal sealed class StoreLog(string folder, TextWriter output)
{
    private const int CommitsAtOnce = 1_024;

    /// <summary>Of one commit, each behind the timeouts of a call: a machine that is overloaded for minutes ends the run.</summary>
    private const int AttemptsMax = 10;

    /// <summary>As often as the tail of a partition trims its feed.</summary>
    private const int CommitsBetweenTrims = 1_024;

    /// <summary>Commits, then ends as a crash does.</summary>
    public async Task WriteAsync(int devices, long commits, CancellationToken cancellationToken)
    {
        await using var server = EmbeddedStoreServer.Start(folder);
        await using var services = Open(server);
        var storage = services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        var states = new GrainState<DeviceRecord>[devices];
        var fleet = new GeneratedFleet(StoreFill.Seed);
        var options = new ParallelOptions { MaxDegreeOfParallelism = CommitsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, devices, options, async (index, _) =>
        {
            states[index] = new GrainState<DeviceRecord> { State = new DeviceRecord { Device = fleet.Create(index) } };
            await StoreFill.CommitAsync(storage, states[index], withSettings: true);
        });
        var largest = 0L;
        using var stop = new CancellationTokenSource();
        var watch = WatchAsync(bytes => largest = Math.Max(largest, bytes), stop.Token);
        var started = Stopwatch.GetTimestamp();
        await EditAsync(services, storage, states, commits, options);
        Tell("commits_per_second", commits / Stopwatch.GetElapsedTime(started).TotalSeconds);
        await stop.CancelAsync();
        await watch;
        Tell("folder_bytes_max", largest);
        Tell("folder_bytes", FolderBytes(isCounted: _ => true));
        Tell("data_bytes", FolderBytes(isCounted: file => !file.DirectoryName!.Contains("/AOF", StringComparison.Ordinal)));
        await output.FlushAsync(cancellationToken);
        Process.GetCurrentProcess().Kill();
    }

    /// <summary>Opens it again and reads every device once.</summary>
    public async Task ReadAsync(int devices, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await using var server = EmbeddedStoreServer.Start(folder);
        await using var services = Open(server);
        var storage = services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        await ReadAsync(storage, 0);
        Tell("open_seconds", Stopwatch.GetElapsedTime(started).TotalSeconds);
        var missing = 0;
        await Parallel.ForAsync(0, devices, cancellationToken, async (index, _) =>
        {
            if (!await ReadAsync(storage, index))
            {
                Interlocked.Increment(ref missing);
            }
        });
        Tell("missing", missing);
    }

    private static async Task<bool> ReadAsync(IGrainStorage storage, int index)
    {
        var state = new GrainState<DeviceRecord>();
        await storage.ReadStateAsync("device", StoreFill.IdOf(GeneratedFleet.NameOf(index)), state);
        return state is { RecordExists: true, State.Device.Settings.IsEmpty: false };
    }

    private static async Task EditAsync(
        ServiceProvider services, IGrainStorage storage, GrainState<DeviceRecord>[] states, long commits, ParallelOptions options)
    {
        var (trimmer, partitions) = (services.GetRequiredService<IFeedTrimmer>(), services.GetRequiredService<PartitionMap>());
        var counts = new int[partitions.Count];
        var done = 0L;
        await Parallel.ForAsync(0, CommitsAtOnce, options, async (caller, cancellationToken) =>
        {
            // Each caller has devices of its own: a record has one writer.
            for (var i = caller; Interlocked.Increment(ref done) <= commits; i += CommitsAtOnce)
            {
                i = i < states.Length ? i : caller;
                var device = await EditAsync(storage, states, i);
                var partition = partitions.OfDevice($"{device.Tenant}/{device.Id.Value}");
                if (Interlocked.Increment(ref counts[partition]) % CommitsBetweenTrims == 0)
                {
                    await trimmer.TrimAsync(partition, cancellationToken);
                }
            }
        });
    }

    /// <summary>One commit. Where nobody knows whether it was made, it is made again on what is stored, as a grain does.</summary>
    private static async Task<Device> EditAsync(IGrainStorage storage, GrainState<DeviceRecord>[] states, int index)
    {
        for (var attempt = 1; ; attempt++)
        {
            var record = states[index].State!;
            var device = record.Device!;
            states[index].State = record with { Device = device with { GenerationReached = device.GenerationReached + 1 } };
            try
            {
                await StoreFill.CommitAsync(storage, states[index], withSettings: false);
                return device;
            }
            catch (StoreUnavailableException) when (attempt < AttemptsMax)
            {
                states[index] = new GrainState<DeviceRecord>();
                await storage.ReadStateAsync("device", StoreFill.IdOf(device.Id.Value), states[index]);
            }
        }
    }

    private async Task WatchAsync(Action<long> tell, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                tell(FolderBytes(isCounted: _ => true));
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // All is written.
        }
    }

    private long FolderBytes(Predicate<FileInfo> isCounted)
    {
        try
        {
            return new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(file => isCounted(file))
                .Sum(file => file.Length);
        }
        catch (IOException)
        {
            // A file went in between: the next look counts.
            return 0;
        }
    }

    private static ServiceProvider Open(EmbeddedStoreServer server) => new ServiceCollection()
        .AddSingleton<IDurabilityBarrier>(new EmbeddedStoreBarrier(server))
        .AddMusterStorage(options => options.ConnectionString = server.ConnectionString)
        .BuildServiceProvider();

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.###}"));
}
