using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Rollouts;

/// <summary>Reads the devices of one partition that match a filter, page by page.</summary>
internal static class MatchingDevices
{
    /// <summary>The rows up to the feed's head at the time of the call.</summary>
    public static async Task<List<ListedRow>> ReadAsync(IInventoryGrain inventory, TenantId tenant, string filter)
    {
        var rows = new List<ListedRow>();
        var after = "";
        while (true)
        {
            var page = await inventory.ListAsync(new RowQuery(tenant, GrainTypes.Device, filter, after, RowQuery.RowsLimit));
            if (page.Error is { } error)
            {
                throw new InvalidOperationException($"The filter of a rollout was accepted and cannot be read: {error.Message}");
            }

            rows.AddRange(page.Rows);
            if (page.IsLast || page.Rows.IsEmpty)
            {
                return rows;
            }

            after = page.Rows[^1].Row.Name;
        }
    }

    /// <summary>Only devices in service are members of rollouts.</summary>
    public static bool IsEligible(ListedRow row) => row.Row is DeviceRow { State: DeviceState.InService };

    public static DeviceId IdOf(ListedRow row) => DeviceId.TryParse(row.Row.Name, out var id)
        ? id
        : throw new FormatException($"'{row.Row.Name}' in the device list is not a device id.");
}
