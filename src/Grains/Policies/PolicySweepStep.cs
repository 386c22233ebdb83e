using Muster.Contracts;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Grains.Policies;

/// <summary>One step of a sweep: asks partitions for their devices, in bounded batches and pages, and lets each evaluate itself.</summary>
internal sealed class PolicySweepStep(IGrainFactory grains, TenantId tenant, PolicySweep sweep)
{
    /// <summary>One step is one grain call: a thousand evaluations take a second or two, far below its time-out.</summary>
    public const int DevicesMax = 1_024;

    /// <summary>As many evaluations are in flight at once; more would not be faster on one store.</summary>
    public const int PageRowsMax = 256;

    /// <summary>Small installations have few devices in a partition: asking some at once hides the round trips.</summary>
    public const int PartitionsPerBatch = 16;

    private static readonly Actor Rule = Actor.Rule("policies");

    private PartitionSet _done = sweep.Done;
    private string _after = sweep.After;
    private int _evaluated;

    public async Task<PolicySweepProgress> RunAsync()
    {
        var budget = DevicesMax;
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
                    await EvaluateAsync(pages[i].Rows);
                    budget -= pages[i].Rows.Length;
                    Remember(batch[i], pages[i]);
                }
            }
        }

        return new PolicySweepProgress(_done, _after, _evaluated);
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
        var page = await grains.GetInventory(partition).ListAsync(new RowQuery(tenant, GrainTypes.Device, "", after, PageRowsMax));
        return page.Error is null
            ? page
            : throw new InvalidOperationException($"Partition {partition} does not list its devices: {page.Error.Message}");
    }

    private async Task EvaluateAsync(ImmutableArray<ListedRow> rows)
    {
        var command = new EvaluatePolicies(Rule, sweep.Revision);
        var devices = rows
            .Select(listed => listed.Row)
            .OfType<DeviceRow>()
            .Where(row => row.State is not (DeviceState.Expected or DeviceState.Decommissioned or DeviceState.Returned))
            .ToArray();
        await Task.WhenAll(devices.Select(row => EvaluateAsync(row, command)));
        _evaluated += devices.Length;
    }

    private Task EvaluateAsync(DeviceRow row, EvaluatePolicies command) => DeviceId.TryParse(row.Name, out var device)
        ? grains.GetDevice(row.Tenant, device).EvaluatePoliciesAsync(command)
        : throw new InvalidOperationException($"A device's row has the name '{row.Name}', which is no device id.");
}

/// <summary>How far a step came.</summary>
/// <param name="Done">Partitions that are through.</param>
/// <param name="After">The position in the first partition that is not.</param>
/// <param name="Evaluated">Devices that this step evaluated.</param>
internal sealed record PolicySweepProgress(PartitionSet Done, string After, int Evaluated);
