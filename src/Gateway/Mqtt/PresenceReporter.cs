using System.Collections.Concurrent;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// Tells every partition which sessions are here: every 1.5 s what changed, every 30 s all (design §1), and all at once to one that has
/// begun anew: it has forgotten them, and the grains of its devices ask it.
/// </summary>
internal sealed partial class PresenceReporter(
    IGrainFactory grains,
    IPresenceSource source,
    TimeProvider clock,
    ILogger<PresenceReporter> logger) : BackgroundService
{
    /// <summary>
    /// Changed sessions. An operator sees a device come and go within 2 s (the design's figure), the way to the partition included.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1.5);

    /// <summary>All sessions every 30 s: three times before the inventory forgets them at 90 s.</summary>
    private const int TicksPerFullReport = 20;

    /// <summary>Messages under way to partitions at once: enough to hide the round trip, too few to flood a silo.</summary>
    private const int PartitionsAtOnce = 16;

    private readonly ConcurrentDictionary<int, bool> _forgetful = new();

    /// <summary>The partition lives elsewhere now, or again: its silo died, or it moved. Told with the next tick.</summary>
    public void TellAll(int partition) => _forgetful[partition] = true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        for (var tick = 1; await WaitAsync(timer, stoppingToken); tick++)
        {
            await ReportAsync(isFull: tick % TicksPerFullReport == 0, stoppingToken);
        }
    }

    /// <summary>
    /// What changed goes out before a full report too: that one does not reach a partition whose last session just ended.
    /// </summary>
    internal async Task ReportAsync(bool isFull, CancellationToken stoppingToken)
    {
        await SendAsync(CollectChanged(), isFull: false, stoppingToken);
        if (isFull)
        {
            _forgetful.Clear();
            await SendAsync(CollectAll(_ => true), isFull: true, stoppingToken);
        }
        else if (!_forgetful.IsEmpty)
        {
            var told = _forgetful.Keys.Where(partition => _forgetful.TryRemove(partition, out _)).ToHashSet();
            await SendAsync(CollectAll(told.Contains), isFull: true, stoppingToken);
        }
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private Dictionary<int, List<Told>> CollectChanged()
    {
        var byPartition = new Dictionary<int, List<Told>>();

        // What becomes dirty meanwhile is queued again and waits for the next tick.
        for (var left = source.ChangedMax; left > 0 && source.TryTakeChanged(out var device); left--)
        {
            Add(byPartition, device, clearDirty: true);
            source.Forget(device);
        }

        return byPartition;
    }

    private Dictionary<int, List<Told>> CollectAll(Predicate<int> isMeant)
    {
        var byPartition = new Dictionary<int, List<Told>>();
        foreach (var device in source.Present)
        {
            if (isMeant(device.Partition))
            {
                Add(byPartition, device, clearDirty: false);
            }
        }

        return byPartition;
    }

    private static void Add(Dictionary<int, List<Told>> byPartition, IPresentDevice device, bool clearDirty)
    {
        if (!device.TryTakePresence(clearDirty, out var presence))
        {
            return;
        }

        if (!byPartition.TryGetValue(device.Partition, out var list))
        {
            byPartition[device.Partition] = list = [];
        }

        list.Add(new Told(device, presence));
    }

    private async Task SendAsync(Dictionary<int, List<Told>> byPartition, bool isFull, CancellationToken stoppingToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                byPartition,
                new ParallelOptions { MaxDegreeOfParallelism = PartitionsAtOnce, CancellationToken = stoppingToken },
                async (entry, _) => await SendAsync(entry.Key, entry.Value, isFull));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops; its sessions expire.
        }
    }

    /// <summary>One partition that does not answer must not cost the others their report, and hears of its sessions later.</summary>
    private async Task SendAsync(int partition, List<Told> sessions, bool isFull)
    {
        try
        {
            var grain = grains.GetInventory(partition);
            foreach (var chunk in sessions.Chunk(PresenceReport.SessionsMax))
            {
                await grain.ReportPresenceAsync(new PresenceReport(
                    source.GatewayId, source.Observer, isFull, [.. chunk.Select(told => told.Presence)]));
                isFull = false;
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // An ended session is in no later full report: what was not heard is told again with the next tick.
            LogLost(logger, exception, partition);
            foreach (var (device, _) in sessions)
            {
                source.MarkChanged(device);
            }
        }
    }

    private readonly record struct Told(IPresentDevice Device, SessionPresence Presence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Partition {Partition} did not take presence; it is told again")]
    private static partial void LogLost(ILogger logger, Exception exception, int partition);
}
