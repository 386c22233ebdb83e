using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

public sealed class PresenceTableTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Find_AfterTheLifetime_IsDisconnectedAndKeepsTheEpoch()
    {
        var table = new PresenceTable((_, _, _) => { }, (_, _) => { });
        table.Apply(Report("g1", isFull: false, Session("A", 7)), Noon);

        Assert.True(Find(table, "A", Noon + PresenceEntry.Lifetime)!.Connected);
        var later = Find(table, "A", Noon + PresenceEntry.Lifetime + TimeSpan.FromSeconds(1))!;

        Assert.False(later.Connected);
        Assert.Equal(7, later.Epoch);
    }

    [Fact]
    public void Apply_OfAnOlderEpoch_ChangesNothing()
    {
        var table = new PresenceTable((_, _, _) => { }, (_, _) => { });
        table.Apply(Report("g2", isFull: false, Session("A", 8)), Noon);

        table.Apply(Report("g1", isFull: false, Session("A", 7) with { Connected = false }), Noon);

        Assert.True(Find(table, "A", Noon)!.Connected);
        Assert.Equal("g2", Find(table, "A", Noon)!.GatewayId);
    }

    [Fact]
    public void Apply_OfAFullReport_EndsTheGatewaysOthersOnly()
    {
        var table = new PresenceTable((_, _, _) => { }, (_, _) => { });
        table.Apply(Report("g1", isFull: false, Session("A", 1), Session("B", 1)), Noon);
        table.Apply(Report("g2", isFull: false, Session("C", 1)), Noon);

        table.Apply(Report("g1", isFull: true, Session("A", 1)), Noon);

        Assert.True(Find(table, "A", Noon)!.Connected);
        Assert.False(Find(table, "B", Noon)!.Connected);
        Assert.True(Find(table, "C", Noon)!.Connected);
        Assert.Null(Find(table, "D", Noon));
    }

    [Fact]
    public void Expire_OfASessionThatNobodyRepeated_TellsThatItsGatewayIsLostOnce()
    {
        var told = new List<string>();
        var table = new PresenceTable((_, _, _) => { }, (_, device) => told.Add(device.Value));
        table.Apply(Report("g1", isFull: false, Session("A", 1), Session("B", 1)), Noon);
        table.Apply(Report("g2", isFull: false, Session("C", 1) with { Connected = false, Reason = DisconnectReason.TakenOver }), Noon);
        table.Apply(Report("g1", isFull: false, Session("B", 1)), Noon.AddSeconds(60));
        told.Clear();

        table.Expire(Noon.AddSeconds(90));
        Assert.Empty(told);
        table.Expire(Noon.AddSeconds(91));
        table.Expire(Noon.AddSeconds(95));

        Assert.Equal(["A"], told);
        Assert.Equal(DisconnectReason.GatewayLost, Find(table, "A", Noon.AddSeconds(95))!.Reason);
        Assert.Equal(DisconnectReason.TakenOver, Find(table, "C", Noon.AddSeconds(95))!.Reason);
        Assert.Single(table.ChangedSince(Noon.AddSeconds(91)));
    }

    [Fact]
    public void Expire_OfMoreThatAreGoneThanAreKept_ForgetsThoseWhoLeftFirst()
    {
        var (rows, told) = (new Dictionary<string, PresenceEntry?>(), new List<string>());
        var table = new PresenceTable(
            (_, device, entry) => rows[device.Value] = entry, (_, device) => told.Add(device.Value));
        SessionPresence[] many = [.. Enumerable.Range(0, PresenceTable.GoneMax).Select(number => Session($"D{number}", 1))];
        table.Apply(Report("g1", isFull: false, [Session("HERE", 1), .. many]), Noon);
        table.Apply(Report("g1", isFull: false, [.. many.Select(one => one with { Connected = false })]), Noon.AddSeconds(2));
        table.Apply(Report("g1", isFull: false, Session("FIRST", 1), Session("SECOND", 1)), Noon);
        table.Apply(Report("g1", isFull: false, Session("FIRST", 1) with { Connected = false }), Noon.AddSeconds(1));
        told.Clear();

        Assert.True(table.KnowsSince(Noon));
        table.Expire(Noon.AddSeconds(3));
        Assert.Equal(["FIRST"], told);
        table.Apply(Report("g1", isFull: false, Session("HERE", 1)), Noon.AddSeconds(60));
        table.Apply(Report("g1", isFull: false, Session("SECOND", 1) with { Connected = false }), Noon.AddSeconds(61));
        table.Expire(Noon.AddSeconds(100));

        Assert.Equal(["FIRST", "SECOND", "D0"], told);
        Assert.Equal((false, true), (table.KnowsSince(Noon.AddSeconds(100)), table.KnowsSince(Noon.AddSeconds(100.1))));
        Assert.Equal((null, null), (Find(table, "FIRST", Noon), rows["FIRST"]));
        Assert.Equal(PresenceTable.GoneMax + 1, table.Entries.Count());
        Assert.True(Find(table, "HERE", Noon.AddSeconds(100))!.Connected);
        table.Apply(Report("g2", isFull: false, Session("FIRST", 2)), Noon.AddSeconds(101));
        Assert.Same(table.Entry(TenantId.Default, Id("FIRST")), rows["FIRST"]);
    }

    private static PresenceReport Report(string gateway, bool isFull, params SessionPresence[] sessions) =>
        new(gateway, null!, isFull, [.. sessions]);

    private static SessionPresence Session(string device, long epoch) =>
        new(TenantId.Default, Id(device), epoch, true, Noon, null, DisconnectReason.Unspecified);

    private static DevicePresence? Find(PresenceTable table, string device, DateTimeOffset now) =>
        table.Find(TenantId.Default, Id(device), now);

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
