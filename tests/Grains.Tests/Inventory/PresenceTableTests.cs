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

    private static PresenceReport Report(string gateway, bool isFull, params SessionPresence[] sessions) =>
        new(gateway, null!, isFull, [.. sessions]);

    private static SessionPresence Session(string device, long epoch) =>
        new(TenantId.Default, Id(device), epoch, true, Noon, null, DisconnectReason.Unspecified);

    private static DevicePresence? Find(PresenceTable table, string device, DateTimeOffset now) =>
        table.Find(TenantId.Default, Id(device), now);

    private static DeviceId Id(string text) => DeviceId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
