using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>The members that a rollout would have in one partition now.</summary>
/// <param name="Points">In their order; null when they are of more classes than a rollout may have.</param>
/// <param name="Sites">Where they are; null without site rules.</param>
/// <param name="Downgrades">How many run a newer version than the image's; null when nobody asks.</param>
/// <param name="Groups">Which groups they are in; null without budgets per value.</param>
internal sealed record FoundMembers(ImmutableArray<MemberPoint>? Points, SiteTally? Sites, int? Downgrades, MemberGroups? Groups)
{
    /// <summary>Whom the image is for; null when nobody asks.</summary>
    public FitTally? Fit { get; init; }
}

/// <summary>Reads the members that a rollout would have in one partition now.</summary>
internal static class MatchingMembers
{
    /// <param name="inventory">Of the partition.</param>
    /// <param name="tenant">Whose devices.</param>
    /// <param name="command">What is looked for.</param>
    /// <param name="rest">Of these only; null for every device that matches.</param>
    /// <param name="now">For filters that compare with the time.</param>
    public static async Task<FoundMembers> ReadAsync(
        IInventoryGrain inventory, TenantId tenant, FreezeMembers command, HashSet<DeviceId>? rest, DateTimeOffset now)
    {
        if (command is { Sorting: null, SiteRules: null, DowngradesTo: "", Image: null, Budgets.IsDefaultOrEmpty: true })
        {
            return await ReadNamesAsync(inventory, tenant, command, rest);
        }

        var rows = await MatchingDevices.ReadAsync(inventory, tenant, command.Filter);
        rows.RemoveAll(row => !IsLookedFor(row, rest));
        var sorter = command.Sorting is { } sorting ? new MemberSorter(sorting) : null;
        var asked = await AskAsync(inventory, tenant, command.Sorting, sorter);
        var found = rows.Select(row => (Row: row, Point: PointOf(row) with
        {
            Class = sorter?.ClassOf(row, now, wave => asked[wave].Contains(row.Row.Name)),
        }));
        (ListedRow Row, MemberPoint Point)[] ordered =
            [.. found.OrderBy(one => one.Point.Hash).ThenBy(one => one.Point.Device.Value, StringComparer.Ordinal)];
        return new FoundMembers(
            sorter is { ClassCount: > MemberClass.ClassesMax } ? null : [.. ordered.Select(one => one.Point)],
            command.SiteRules is { } rules ? MatchingDevices.CountSites(rules, rows) : null,
            command.DowngradesTo.Length > 0 ? rows.Count(row => MatchingDevices.IsDowngrade(row, command.DowngradesTo)) : null,
            command.Budgets.IsDefaultOrEmpty ? null : GroupsOf(command.Budgets, ordered.Select(one => one.Row)))
        {
            Fit = command.Image is { } image ? FitTally.Of(image, rows.Select(MatchingDevices.SituationOf)) : null,
        };

        MemberPoint PointOf(ListedRow row) =>
            MemberPoint.Of(MatchingDevices.IdOf(row), command.Seed, row.Presence is { Connected: true });
    }

    /// <summary>The same where nothing else of the rows counts: most rollouts, and a tenth of what is read otherwise.</summary>
    private static async Task<FoundMembers> ReadNamesAsync(
        IInventoryGrain inventory, TenantId tenant, FreezeMembers command, HashSet<DeviceId>? rest)
    {
        var points = (await MatchingDevices.ReadNamesAsync(inventory, tenant, command.Filter))
            .Select(device => MemberPoint.Of(MatchingDevices.IdOf(device.Name), command.Seed, device.Connected))
            .Where(point => rest?.Contains(point.Device) != false);
        return new FoundMembers(Order(points), Sites: null, Downgrades: null, Groups: null);
    }

    private static ImmutableArray<MemberPoint> Order(IEnumerable<MemberPoint> points) =>
        [.. points.OrderBy(point => point.Hash).ThenBy(point => point.Device.Value, StringComparer.Ordinal)];

    private static MemberGroups GroupsOf(ImmutableArray<ValueBudget> budgets, IEnumerable<ListedRow> rows)
    {
        var reader = new GroupReader(budgets);
        return MemberGroups.Of(budgets.Length, rows.Select(row => reader.GroupsOf(row)));
    }

    /// <summary>Only devices in service are members, and of a rest that is retried only those of it.</summary>
    public static bool IsLookedFor(ListedRow row, HashSet<DeviceId>? rest) =>
        MatchingDevices.IsEligible(row) && rest?.Contains(MatchingDevices.IdOf(row)) != false;

    /// <summary>By wave: the names of what matches a filter that the rows cannot answer.</summary>
    private static async Task<Dictionary<int, HashSet<string>>> AskAsync(
        IInventoryGrain inventory, TenantId tenant, WaveSorting? sorting, MemberSorter? sorter)
    {
        var asked = new Dictionary<int, HashSet<string>>();
        foreach (var wave in sorter is null ? [] : sorter.Asked)
        {
            var rows = await MatchingDevices.ReadAsync(inventory, tenant, sorting!.Filters[wave]);
            asked.Add(wave, rows.Select(row => row.Row.Name).ToHashSet(StringComparer.Ordinal));
        }

        return asked;
    }
}
