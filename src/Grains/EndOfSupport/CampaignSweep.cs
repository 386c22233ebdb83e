using Muster.Contracts;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;

namespace Muster.Grains.EndOfSupport;

/// <summary>
/// One step of a campaign's sweep: asks partitions for the product's devices, in bounded batches and pages, and proposes
/// each device's decommissioning.
/// </summary>
internal sealed class CampaignSweep(IGrainFactory grains, SupportCampaign campaign)
{
    /// <summary>One step is one grain call: a thousand proposals take a second or two, far below its time-out.</summary>
    public const int DevicesPerStepMax = 1_024;

    /// <summary>As many proposals are in flight at once; more would not be faster on one store.</summary>
    public const int PageRowsMax = 256;

    /// <summary>Most partitions hold few devices of one product: asking some at once hides the round trips.</summary>
    public const int PartitionsPerBatch = 16;

    private PartitionSet _done = campaign.Done;
    private string _after = campaign.After;
    private long _proposed;

    /// <summary>The rule that stands as the actor of a campaign's proposals.</summary>
    public static Actor ActorOf(SupportCampaign campaign) => Actor.Rule($"end-of-support/{campaign.Id}");

    public async Task<SweepStep> RunAsync()
    {
        var budget = DevicesPerStepMax;
        while (budget > 0 && _done.FirstMissing() is { } first)
        {
            // In the middle of a large partition the others' pages would only be read to be thrown away.
            var batch = _after.Length > 0 ? [first] : Missing(PartitionsPerBatch);
            var pages = await Task.WhenAll(batch.Select(partition => ListAsync(partition, partition == first ? _after : "")));
            for (var i = 0; i < batch.Length; i++)
            {
                // A later partition that needs more than one page waits until it is the first: only the first has a position.
                if (pages[i].IsLast || batch[i] == first)
                {
                    _proposed += await ProposeAsync(pages[i].Rows);
                    budget -= pages[i].Rows.Length;
                    Remember(batch[i], pages[i]);
                }
            }
        }

        return new SweepStep(_done, _after, _proposed);
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

    private ImmutableArray<int> Missing(int partitionsMax) =>
        [.. Enumerable.Range(0, _done.Count).Where(partition => !_done.Contains(partition)).Take(partitionsMax)];

    private async Task<RowPage> ListAsync(int partition, string after)
    {
        var query = new RowQuery(campaign.Tenant, GrainTypes.Device, $"model = \"{campaign.Product}\"", after, PageRowsMax);
        var page = await grains.GetInventory(partition).ListAsync(query);
        return page.Error is null
            ? page
            : throw new InvalidOperationException($"Partition {partition} cannot read the filter of '{campaign.Id}': {page.Error.Message}");
    }

    private async Task<long> ProposeAsync(ImmutableArray<ListedRow> rows)
    {
        var command = new ProposeDecommission(ActorOf(campaign), new Proposal(DecommissionCause.EndOfSupport, campaign.Id));
        var replies = await Task.WhenAll(rows
            .Select(listed => listed.Row)
            .OfType<DeviceRow>()
            .Where(row => CampaignRules.Covers(row.State))
            .Select(row => ProposeAsync(row, command)));
        return replies.LongCount(reply => CampaignRules.Counts(campaign, reply.Decommission));
    }

    private Task<DecommissionReply> ProposeAsync(DeviceRow row, ProposeDecommission command) =>
        DeviceId.TryParse(row.Name, out var device)
            ? grains.GetDecommission(row.Tenant, device).ProposeAsync(command)
            : throw new InvalidOperationException($"A device's row has the name '{row.Name}', which is no device id.");
}

/// <summary>How far a step came.</summary>
/// <param name="Done">Partitions that are through.</param>
/// <param name="After">The position in the first partition that is not.</param>
/// <param name="Proposed">Proposals of this step that count.</param>
internal sealed record SweepStep(PartitionSet Done, string After, long Proposed);
