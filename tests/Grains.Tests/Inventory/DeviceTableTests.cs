using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Grains.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Columns answer what the rows themselves answer: the filter, the order and the count of Domain are the reference.</summary>
public sealed class DeviceTableTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static readonly RowWatches s_nobody = new();

    private static readonly string[] Filters =
    [
        "", "state=IN_SERVICE", "NOT state=IN_SERVICE", "model=M1*", "model=M1 OR site:l", "os_version < 12.11", "os_version >= 12.11.0",
        "labels.floor > 2 AND secure_boot=true", "labels:room", "settings.ssh = no", "settings.unique:*", "settings.nobody = \"\"",
        "name > D200", "name = D00*", "boot_id:7", "connected=true", "NOT connected=true OR last_seen_at > -1h", "state_changed_at < -12h",
        "certificate_not_after < 30d", "installs >= 2 AND (compliance=COMPLIANT OR rollout=\"\")", "uptime > 10m",
        "NOT (installs < 2 OR state=EXPECTED)", "labels.late = v1", "NOT (labels.late:v OR model = M2)",
        "(site:l OR site:o) AND installs >= 1",
    ];

    private static readonly string[] Orders =
    [
        "", "name desc", "model, site desc", "os_version desc, labels.floor", "state_changed_at desc", "settings.unique, model",
        "last_seen_at desc", "settings.nobody", "boot_id", "connected desc, installs, track",
    ];

    private static readonly string[] Groupings =
    [
        "", "state", "model, site", "settings.unique", "state, created_at_month, labels.floor", "connected", "installs", "boot_id",
    ];

    [Fact]
    public void List_WithAnyFilterAndOrder_PagesThroughWhatTheRowsSay()
    {
        var (table, rows) = Fill(400);
        foreach (var filter in Filters)
        {
            foreach (var order in Orders)
            {
                var query = Query(filter) with { OrderBy = order, RowsMax = 37 };

                Assert.Equal(Expected(rows, query), Names(table, query));
            }
        }
    }

    [Fact]
    public void List_BehindTheLastPossibleNameBeforeARow_BeginsWithIt()
    {
        var (table, rows) = Fill(50);

        Assert.All(rows.Select(row => row.Row.Name), name =>
        {
            var before = $"{name[..^1]}{(char)(name[^1] - 1)}\uffff";
            Assert.Equal(name, Assert.Single(List(table, Query("") with { After = before, RowsMax = 1 }).Rows).Row.Name);
        });
    }

    [Fact]
    public void Count_WithAnyFilterAndGrouping_CountsWhatTheRowsSay()
    {
        var (table, rows) = Fill(400);
        foreach (var filter in Filters)
        {
            foreach (var by in Groupings)
            {
                var query = Query(filter);
                var grouping = InventoryGrouping.Parse(by, InventoryFields.Device).Grouping;
                var matching = rows.Where(row => query.ReadFilter().Filter.Matches(row, Now)).ToArray();
                var expected = matching
                    .GroupBy(row => string.Join('|', grouping.Keys.Select(key => key.Show(row.Field(key.Path.Field.Name, key.Path.Key)))))
                    .ToDictionary(group => group.Key, group => group.LongCount());

                var counts = table.Count(query, query.ReadFilter().Filter, grouping, Now);

                Assert.Equal(matching.Length, counts.Total);
                Assert.Equal(
                    by.Length == 0 ? [] : expected.OrderBy(group => group.Key, StringComparer.Ordinal),
                    counts.Groups.Select(group => KeyValuePair.Create(string.Join('|', group.Values), group.Count))
                        .OrderBy(group => group.Key, StringComparer.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData("model, site")]
    [InlineData("state, created_at_month, labels.floor")]
    [InlineData("connected, settings.unique")]
    [InlineData("boot_id, name, settings.unique")]
    public void Count_OfTwoTablesAsCells_SumsUpToWhatTheRowsSay(string by)
    {
        var (_, rows, presence) = FillWithPresence(400);
        var parts = Split(rows, presence);
        var grouping = InventoryGrouping.Parse(by, InventoryFields.Device).Grouping;
        foreach (var filter in Filters)
        {
            var query = Query(filter) with { TakesCells = true };
            var expected = rows.Where(row => query.ReadFilter().Filter.Matches(row, Now))
                .GroupBy(row => string.Join('|', grouping.Keys.Select(key => key.Show(row.Field(key.Path.Field.Name, key.Path.Key)))))
                .Select(group => (group.Key, group.LongCount()))
                .Order();

            var counted = parts.ConvertAll(part => part.Count(query, query.ReadFilter().Filter, grouping, Now));

            Assert.All(counted, part => Assert.Empty(part.Groups));
            var sum = RowCounts.Sum(counted);
            Assert.Equal(expected, sum.Groups.Select(group => (string.Join('|', group.Values), group.Count)).Order());
            Assert.Equal(sum.Groups.Sum(group => group.Count), sum.Total);
        }
    }

    /// <summary>A page goes on in all tables behind a row that only one of them has, and whose values the others may not know.</summary>
    [Fact]
    public void List_BehindARowOfAnotherTable_GoesOnWhereThatWouldStand()
    {
        var (_, rows, presence) = FillWithPresence(300);
        var table = Split(rows, presence)[0];
        foreach (var by in Orders)
        {
            var query = Query("") with { OrderBy = by, RowsMax = RowQuery.RowsLimit };
            var order = query.ReadOrder().Order;
            foreach (var place in rows.Where((_, at) => at % 2 == 1).Take(40).Append(rows[0]))
            {
                var after = query with { After = place.Row.Name, AfterKeys = order.ValuesOf(place) };
                var expected = rows.Where((row, at) => at % 2 == 0
                    && order.Compare(order.ValuesOf(row), row.Row.Name, after.AfterKeys, after.After) > 0);

                Assert.Equal(
                    expected.Select(row => row.Row.Name).Order(StringComparer.Ordinal),
                    List(table, after).Rows.Select(row => row.Row.Name).Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public void Matching_OfManyWatches_FindsThoseWhoseFilterMatches()
    {
        var (table, rows) = Fill(200);
        var columns = table.Of(TenantId.Default)!;
        var watches = new RowWatches();
        var watchers = Filters.ToDictionary(filter => filter, filter => new Nobody());
        foreach (var (filter, watcher) in watchers)
        {
            watches.Put(watcher, Query(filter), Query(filter).ReadFilter().Filter, Now);
        }

        Require(rows);

        // Each device as the one before it, with a label that none had: what was remembered by value still has to hold.
        var changed = rows.Select((row, at) => row with
        {
            Version = row.Version + 1,
            Row = (DeviceRow)rows[(at + 1) % rows.Count].Row with
            {
                Name = row.Row.Name,
                Labels = [new DeviceLabel("late", $"v{at % 3}")],
                Settings = ((DeviceRow)row.Row).Settings,
            },
        }).ToList();
        changed.ForEach(row => table.Apply((DeviceRow)row.Row, row.Version, s_nobody, Now));
        Require(changed);

        // And each with the boot of another, which is a text of its own in each row: what was remembered by row does not.
        var again = changed.Select((row, at) => row with
        {
            Version = row.Version + 1,
            Row = (DeviceRow)row.Row with { BootId = ((DeviceRow)changed[(at + 7) % changed.Count].Row).BootId },
        }).ToList();
        again.ForEach(row => table.Apply((DeviceRow)row.Row, row.Version, s_nobody, Now));
        Require(again);

        Assert.Empty(watches.Matching(TenantId.Default, columns, 0, Now + RowWatches.Lifetime));

        void Require(IEnumerable<ListedRow> expected)
        {
            foreach (var row in expected)
            {
                var matching = watches.Matching(TenantId.Default, columns, columns.Find(row.Row.Name), Now);

                Assert.Equal(
                    Filters.Where(filter => Query(filter).ReadFilter().Filter.Matches(row, Now)).Order(StringComparer.Ordinal),
                    matching.Select(watch => watch.Query.Filter).Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public void List_ShowsTheRowAsItWasCommitted()
    {
        var (table, rows) = Fill(50);

        var listed = table.List(Query("") with { RowsMax = 50 }, InventoryFilter.All, InventoryOrder.ByName, Now).Rows;

        foreach (var (shown, row) in listed.Zip(rows.OrderBy(row => row.Row.Name, StringComparer.Ordinal)))
        {
            var (left, right) = ((DeviceRow)shown.Row, (DeviceRow)row.Row);
            Assert.Equal(right with { Labels = [], Settings = null }, left with { Labels = [] });
            Assert.Equal(right.Labels.AsEnumerable(), left.Labels);
            Assert.Equal((row.Version, row.Presence), (shown.Version, shown.Presence));
        }
    }

    [Fact]
    public void Apply_OfACommitThatLeftTheSettings_KeepsThem()
    {
        var (table, _) = Fill(0);
        var row = RowOf(1, new Random(1)) with { Settings = [new DeviceSetting("ssh", "no"), new DeviceSetting("ntp", "x")] };
        table.Apply(row, 1, s_nobody, Now);

        table.Apply(row with { Settings = null, Site = "elsewhere" }, 2, s_nobody, Now);

        Assert.Single(Names(table, Query("settings.ssh=no AND settings.ntp=x AND site=elsewhere")));
        table.Apply(row with { Settings = [new DeviceSetting("ssh", "yes")] }, 3, s_nobody, Now);
        Assert.Single(Names(table, Query("settings.ssh=yes AND NOT settings:ntp")));
    }

    [Fact]
    public void Apply_OfAnOlderOrEqualVersion_ChangesNothing()
    {
        var (table, _) = Fill(0);
        var row = RowOf(1, new Random(1));
        Assert.True(table.Apply(row, 2, s_nobody, Now));

        Assert.False(table.Apply(row with { Site = "other" }, 2, s_nobody, Now));
        Assert.False(table.Apply(row with { Site = "other" }, 1, s_nobody, Now));
        Assert.Empty(Names(table, Query("site=other")));
    }

    [Fact]
    public void List_WhileOthersComeGoAndMove_NeitherSkipsNorRepeatsWhatDidNotChange()
    {
        var random = new Random(7);
        var (table, rows) = Fill(300);
        var untouched = rows.Where((_, index) => index % 2 == 0).Select(row => row.Row.Name).ToHashSet();
        var seen = new List<string>();
        var query = Query("") with { OrderBy = "model, site desc", RowsMax = 20 };
        var (version, added) = (10, 1_000);
        for (RowPage? page = null; page is not { IsLast: true };)
        {
            page = List(table, query);
            seen.AddRange(page.Rows.Select(row => row.Row.Name));
            query = query with { After = page.Rows[^1].Row.Name, AfterKeys = page.Rows[^1].Keys };
            for (var i = 0; i < 20; i++)
            {
                var moved = (DeviceRow)rows[(random.Next(150) * 2) + 1].Row;
                table.Apply(moved with { Model = $"M{random.Next(20)}", Site = $"s{random.Next(5)}" }, version++, s_nobody, Now);
                table.Apply(RowOf(added++, random), 1, s_nobody, Now);
            }
        }

        Assert.Equal(untouched.Order(StringComparer.Ordinal), seen.Where(untouched.Contains).Order(StringComparer.Ordinal));
    }

    private sealed class Nobody : IRowWatcher
    {
        public Task RowChangedAsync(RowChange change) => throw new InvalidOperationException("Nobody is told anything here.");
    }

    private static (DeviceTable Table, List<ListedRow> Rows) Fill(int count)
    {
        var (table, rows, _) = FillWithPresence(count);
        return (table, rows);
    }

    /// <summary>The rows by turns in two tables, as two partitions have them.</summary>
    private static List<DeviceTable> Split(List<ListedRow> rows, PresenceTable presence)
    {
        List<DeviceTable> parts = [new DeviceTable(new ValuePool(), presence), new DeviceTable(new ValuePool(), presence)];
        for (var at = 0; at < rows.Count; at++)
        {
            parts[at % 2].Apply((DeviceRow)rows[at].Row, rows[at].Version, s_nobody, Now);
        }

        return parts;
    }

    private static (DeviceTable Table, List<ListedRow> Rows, PresenceTable Presence) FillWithPresence(int count)
    {
        var random = new Random(42);
        DeviceTable? table = null;
        var presence = new PresenceTable((tenant, device, entry) => table!.Attach(tenant, device, entry), (_, _) => { });
        table = new DeviceTable(new ValuePool(), presence);
        var rows = new List<ListedRow>();
        for (var i = 0; i < count; i++)
        {
            var row = RowOf(i, random);
            if (i % 3 == 0)
            {
                Connect(presence, row.Name, random);
            }

            table.Apply(row, i + 1, s_nobody, Now);
            if (i % 3 == 1)
            {
                Connect(presence, row.Name, random);
            }

            Assert.True(DeviceId.TryParse(row.Name, out var id));
            rows.Add(new ListedRow(new(GrainTypes.Device, $"default/{row.Name}"), i + 1, row, presence.Find(TenantId.Default, id, Now)));
        }

        return (table, rows, presence);
    }

    private static void Connect(PresenceTable presence, string name, Random random)
    {
        Assert.True(DeviceId.TryParse(name, out var id));
        var health = random.Next(2) == 0 ? null : new DeviceHealth(random.Next(3_000), null, "");
        var seen = Now.AddMinutes(-random.Next(200));
        var session = new SessionPresence(TenantId.Default, id, 1, random.Next(4) > 0, seen, health, (DisconnectReason)random.Next(9));
        presence.Apply(new PresenceReport("g", null!, false, [session]), Now.AddSeconds(-random.Next(120)));
    }

    private static DeviceRow RowOf(int number, Random random) => new()
    {
        Tenant = TenantId.Default,
        Name = $"D{number:000}",
        State = (DeviceState)random.Next(1, 8),
        Model = $"M{random.Next(20)}",
        Site = random.Next(4) == 0 ? "" : $"Lund {random.Next(30)}",
        Track = "active",
        OsVersion = random.Next(9) == 0 ? "beta" : $"12.{random.Next(9, 13)}.{random.Next(3)}",
        ImageDigest = $"{random.Next(5):x64}",
        BootId = $"boot-{random.Next(1_000_000)}",
        Compliance = (ComplianceState)random.Next(4),
        Generation = random.Next(5),
        Rollout = random.Next(3) == 0 ? "spring" : "",
        StateChangedAt = Now.AddHours(-random.Next(48)),
        CreatedAt = Now.AddDays(-random.Next(300)),
        SecureBoot = random.Next(2) == 0,
        Installs = random.Next(4),
        CertificateSha256 = $"{random.NextInt64():x16}",
        CertificateNotAfter = random.Next(3) == 0 ? null : Now.AddDays(random.Next(60)),
        Labels = random.Next(3) == 0 ? [] : [new DeviceLabel("floor", $"{random.Next(6)}"), new DeviceLabel("room", "a")],
        Settings = random.Next(5) == 0
            ? null
            : [new DeviceSetting("ssh", random.Next(2) == 0 ? "no" : "yes"), new DeviceSetting("unique", $"{random.Next(1_000_000)}")],
    };

    private static RowQuery Query(string filter) => new(TenantId.Default, GrainTypes.Device, filter, "", 100);

    private static List<string> Expected(List<ListedRow> rows, RowQuery query)
    {
        var (filter, error) = query.ReadFilter();
        Assert.Null(error);
        var order = query.ReadOrder().Order;
        return
        [
            .. rows.Where(row => filter.Matches(row, Now))
                .Order(Comparer<ListedRow>.Create(
                    (left, right) => order.Compare(order.ValuesOf(left), left.Row.Name, order.ValuesOf(right), right.Row.Name)))
                .Select(row => row.Row.Name),
        ];
    }

    private static RowPage List(DeviceTable table, RowQuery query) =>
        table.List(query, query.ReadFilter().Filter, query.ReadOrder().Order, Now);

    /// <summary>All pages.</summary>
    private static List<string> Names(DeviceTable table, RowQuery query)
    {
        var names = new List<string>();
        while (true)
        {
            var page = List(table, query);
            names.AddRange(page.Rows.Select(row => row.Row.Name));
            if (page.IsLast)
            {
                return names;
            }

            query = query with { After = page.Rows[^1].Row.Name, AfterKeys = page.Rows[^1].Keys };
        }
    }
}
