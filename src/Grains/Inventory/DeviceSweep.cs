using Microsoft.Extensions.Logging;
using Muster.Contracts.Inventory;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>
/// One bounded step of a sweep: asks partitions for their devices, in batches and pages, and visits each. A device that cannot be
/// asked is counted and passed over, so that one does not hold up all others.
/// </summary>
internal sealed partial class DeviceSweep(IGrainFactory grains, RowQuery query, PartitionSet done, ILogger logger)
{
    /// <summary>One step is one grain call: a thousand visits take a second or two, far below its time-out.</summary>
    public const int DevicesPerStepMax = 1_024;

    /// <summary>As many visits are in flight at once; more would not be faster on one store.</summary>
    public const int PageRowsMax = 256;

    /// <summary>Most partitions hold few of the devices: asking some at once hides the round trips.</summary>
    public const int PartitionsPerBatch = 16;

    private PartitionSet _done = done;
    private string _after = query.After;
    private long _counted;
    private long _missed;

    /// <summary>
    /// Goes on behind the partitions that are done, and in the first of the others behind the query's name. A visit says whether its
    /// device counts.
    /// </summary>
    public async Task<SweepStep> RunAsync(Func<DeviceRow, Task<bool>> visit)
    {
        var budget = DevicesPerStepMax;
        while (budget > 0 && _done.FirstMissing() is { } first)
        {
            // In the middle of a large partition the others' pages would only be read to be thrown away.
            var batch = _after.Length > 0 ? [first] : Missing();
            var pages = await Task.WhenAll(batch.Select(partition => ListAsync(partition, partition == first ? _after : "")));
            for (var i = 0; i < batch.Length; i++)
            {
                // A later partition that needs more than one page waits until it is the first: only the first has a position.
                if (pages[i].IsLast || batch[i] == first)
                {
                    await VisitAsync(pages[i], visit);
                    budget -= pages[i].Rows.Length;
                    Remember(batch[i], pages[i]);
                }
            }
        }

        return new SweepStep(_done, _after, _counted, _missed);
    }

    private async Task VisitAsync(RowPage page, Func<DeviceRow, Task<bool>> visit)
    {
        var faults = new List<Exception>();
        var devices = page.Rows.Select(listed => listed.Row).OfType<DeviceRow>().ToArray();
        var counts = await Task.WhenAll(devices.Select(device => TryVisitAsync(device, visit, faults)));
        if (faults.Count > 1 && faults.Count == devices.Length)
        {
            // Not one device's fault: nothing is noted, and the step is repeated.
            throw new InvalidOperationException("No device of a page could be asked.", faults[0]);
        }

        if (faults.Count > 0)
        {
            LogMissed(faults[0], faults.Count, devices.Length);
        }

        _counted += counts.LongCount(isCounted => isCounted);
        _missed += faults.Count;
    }

    private static async Task<bool> TryVisitAsync(DeviceRow device, Func<DeviceRow, Task<bool>> visit, List<Exception> faults)
    {
        try
        {
            return await visit(device);
        }
        catch (Exception fault)
        {
            faults.Add(new InvalidOperationException($"Device '{device.Name}' could not be asked.", fault));
            return false;
        }
    }

    private void Remember(int partition, RowPage page)
    {
        if (page.IsLast)
        {
            // The position belongs to the lowest partition that is not done.
            _after = _done.FirstMissing() == partition ? "" : _after;
            _done = _done.With(partition);
        }
        else
        {
            _after = page.Rows[^1].Row.Name;
        }
    }

    private ImmutableArray<int> Missing() =>
        [.. Enumerable.Range(0, _done.Count).Where(partition => !_done.Contains(partition)).Take(PartitionsPerBatch)];

    private async Task<RowPage> ListAsync(int partition, string after)
    {
        var page = await grains.GetInventory(partition).ListAsync(query with { After = after });
        return page.Error is null
            ? page
            : throw new InvalidOperationException($"Partition {partition} does not list '{query.Filter}': {page.Error.Message}");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Missed} of {Devices} devices could not be asked; the sweep comes back for them")]
    private partial void LogMissed(Exception first, int missed, int devices);
}
