using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory;

namespace Muster.Grains.EndOfSupport;

/// <summary>One step of a campaign's sweep: proposes the decommissioning of each of the product's devices.</summary>
internal sealed class CampaignSweep(IGrainFactory grains, SupportCampaign campaign, ILogger logger)
{
    private readonly ProposeDecommission _command =
        new(ActorOf(campaign), new Proposal(DecommissionCause.EndOfSupport, campaign.Id));

    /// <summary>The rule that stands as the actor of a campaign's proposals.</summary>
    public static Actor ActorOf(SupportCampaign campaign) => Actor.Rule($"end-of-support/{campaign.Id}");

    public Task<SweepStep> RunAsync()
    {
        var filter = $"model = \"{campaign.Product}\"";
        var query = new RowQuery(campaign.Tenant, GrainTypes.Device, filter, campaign.After, DeviceSweep.PageRowsMax);
        return new DeviceSweep(grains, query, campaign.Done, logger).RunAsync(ProposeAsync);
    }

    private async Task<bool> ProposeAsync(DeviceRow row)
    {
        if (!CampaignRules.Covers(row.State))
        {
            return false;
        }

        var reply = DeviceId.TryParse(row.Name, out var device)
            ? await grains.GetDecommission(row.Tenant, device).ProposeAsync(_command)
            : throw new InvalidOperationException($"A device's row has the name '{row.Name}', which is no device id.");
        return CampaignRules.Counts(campaign, reply.Decommission);
    }
}
