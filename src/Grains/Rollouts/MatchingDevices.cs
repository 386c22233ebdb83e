using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>Reads the devices of one partition that match a filter, page by page, or counts them.</summary>
internal static class MatchingDevices
{
    private static readonly string s_inService =
        InventoryFields.Device.Single(field => field.Name == "state").Values[(int)DeviceState.InService];

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
                throw Unreadable(error);
            }

            rows.AddRange(page.Rows);
            if (page.IsLast || page.Rows.IsEmpty)
            {
                return rows;
            }

            after = page.Rows[^1].Row.Name;
        }
    }

    /// <summary>The devices that a rollout may have, by their names alone.</summary>
    public static async Task<List<DeviceInService>> ReadNamesAsync(IInventoryGrain inventory, TenantId tenant, string filter)
    {
        var devices = new List<DeviceInService>();
        for (var after = ""; after is not null;)
        {
            var page = await inventory.ListInServiceAsync(tenant, filter, after);
            if (page.Error is { } error)
            {
                throw Unreadable(error);
            }

            devices.AddRange(page.Devices);
            after = page.After;
        }

        return devices;
    }

    /// <summary>How many devices that a rollout may have match, by the image that they run; counted where the rows are.</summary>
    public static async Task<IEnumerable<ImageCount>> CountByImageAsync(IInventoryGrain inventory, TenantId tenant, string filter) =>
        (await CountByAsync("image_digest", inventory, tenant, filter)).Select(image => new ImageCount(image.Value, (int)image.Devices));

    /// <summary>Where those that a rollout may have are, by the site rules.</summary>
    public static SiteTally CountSites(SiteRules rules, IEnumerable<ListedRow> rows) =>
        SiteTally.Of(rules, rows.Where(IsEligible).Select(row => (((DeviceRow)row.Row).Site, 1L)));

    /// <summary>
    /// The same without reading the rows: counted where they are. Of a partition with more sites than a count has groups the others are
    /// left out; the start counts each.
    /// </summary>
    public static async Task<SiteTally> CountSitesAsync(SiteRules rules, IInventoryGrain inventory, TenantId tenant, string filter) =>
        SiteTally.Of(rules, await CountByAsync("site", inventory, tenant, filter));

    /// <summary>
    /// How many devices that a rollout may have match and run a newer version. Of more versions than a count has groups the others are left
    /// out; the start counts each.
    /// </summary>
    public static async Task<int> CountDowngradesAsync(IInventoryGrain inventory, TenantId tenant, string filter, string target) =>
        (int)(await CountByAsync("os_version", inventory, tenant, filter))
            .Where(version => ApprovalPolicy.IsDowngrade(version.Value, target))
            .Sum(version => version.Devices);

    /// <summary>Whether an image of this version would take the device of the row back.</summary>
    public static bool IsDowngrade(ListedRow row, string target) =>
        row.Row is DeviceRow device && ApprovalPolicy.IsDowngrade(device.OsVersion, target);

    /// <summary>What of the row's device matters to an image.</summary>
    public static ImageSituation SituationOf(ListedRow row) => row.Row is DeviceRow device
        ? new(device.Model, device.Track, device.OsFloor, device.ImageDigest, device.OsVersion)
        : throw new FormatException($"'{row.Row.Name}' in the device list is no device.");

    /// <summary>The row of one device if it matches the filter, else null.</summary>
    public static async Task<ListedRow?> FindAsync(IInventoryGrain inventory, TenantId tenant, string filter, DeviceId device)
    {
        // The last name before the device's own: ids are of ASCII, so that nothing stands between the two.
        var before = $"{device.Value[..^1]}{(char)(device.Value[^1] - 1)}\uffff";
        var page = await inventory.ListAsync(new RowQuery(tenant, GrainTypes.Device, filter, before, RowsMax: 1));
        return page.Rows.IsDefaultOrEmpty || page.Rows[0].Row.Name != device.Value ? null : page.Rows[0];
    }

    /// <summary>Only devices in service are members of rollouts.</summary>
    public static bool IsEligible(ListedRow row) => row.Row is DeviceRow { State: DeviceState.InService };

    private static async Task<IEnumerable<(string Value, long Devices)>> CountByAsync(
        string field, IInventoryGrain inventory, TenantId tenant, string filter)
    {
        var counts = await inventory.CountAsync(new RowQuery(tenant, GrainTypes.Device, filter, "", RowsMax: 1), $"{field}, state");
        return counts.Error is { } error
            ? throw Unreadable(error)
            : counts.Groups.Where(group => group.Values[1] == s_inService).Select(group => (group.Values[0], group.Count));
    }

    private static InvalidOperationException Unreadable(FleetError error) =>
        new($"The filter of a rollout was accepted and cannot be read: {error.Message}");

    public static DeviceId IdOf(ListedRow row) => IdOf(row.Row.Name);

    public static DeviceId IdOf(string name) => DeviceId.TryParse(name, out var id)
        ? id
        : throw new FormatException($"'{name}' in the device list is not a device id.");
}
