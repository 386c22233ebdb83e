using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory;

/// <summary>Who is there and has a session: gateways tell it, and whoever wants to reach devices asks for it.</summary>
internal sealed partial class InventoryGrain
{
    public Task ReportPresenceAsync(PresenceReport report)
    {
        _presence.Apply(report, _clock.GetUtcNow());
        TellReach();
        SetTimer();
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) =>
        Task.FromResult(_presence.Find(tenant, device, _clock.GetUtcNow()));

    public async Task<DevicesInService> ListInServiceAsync(TenantId tenant, string filter, string after)
    {
        var query = new RowQuery(tenant, GrainTypes.Device, filter, after, DevicesInService.DevicesMax);
        var (read, error) = _queries.Read(query, "");
        if (read is null)
        {
            return new DevicesInService([], After: null, error);
        }

        await CatchUpIfBehindAsync();
        return _tables.Devices.ListInService(query, read.Filter, _clock.GetUtcNow());
    }

    public async Task<ConnectedDevices?> ListConnectedAsync(TenantId tenant, ReachMark known)
    {
        await CatchUpIfBehindAsync();
        return _tables.Devices.ListConnected(tenant, known, _clock.GetUtcNow());
    }
}
