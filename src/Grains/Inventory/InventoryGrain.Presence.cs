using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory;

/// <summary>Who has a session: gateways tell it, and whoever wants to reach devices asks for it.</summary>
internal sealed partial class InventoryGrain
{
    public Task ReportPresenceAsync(PresenceReport report)
    {
        _presence.Apply(report, _clock.GetUtcNow());
        SetTimer();
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) =>
        Task.FromResult(_presence.Find(tenant, device, _clock.GetUtcNow()));

    public async Task<ConnectedDevices?> ListConnectedAsync(TenantId tenant, ReachMark known)
    {
        await CatchUpIfBehindAsync();
        return _tables.Devices.ListConnected(tenant, known, _clock.GetUtcNow());
    }
}
