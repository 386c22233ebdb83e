using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Grains.Inventory;

namespace Muster.Grains.Policies;

/// <summary>One step of a sweep: lets each device evaluate itself.</summary>
internal sealed class PolicySweepStep(IGrainFactory grains, TenantId tenant, PolicySweep sweep, ILogger logger)
{
    private static readonly Actor Rule = Actor.Rule("policies");

    private readonly EvaluatePolicies _command = new(Rule, sweep.Revision);

    public Task<SweepStep> RunAsync()
    {
        var query = new RowQuery(tenant, GrainTypes.Device, "", sweep.After, DeviceSweep.PageRowsMax);
        return new DeviceSweep(grains, query, sweep.Done, logger).RunAsync(EvaluateAsync);
    }

    private async Task<bool> EvaluateAsync(DeviceRow row)
    {
        if (row.State is DeviceState.Expected or DeviceState.Decommissioned or DeviceState.Returned or DeviceState.Withdrawn)
        {
            return false;
        }

        await (DeviceId.TryParse(row.Name, out var device)
            ? grains.GetDevice(row.Tenant, device).EvaluatePoliciesAsync(_command)
            : throw new InvalidOperationException($"A device's row has the name '{row.Name}', which is no device id."));
        return true;
    }
}
