using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Grains.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Who can be reached is told to the shares of rollouts again only after it changed.</summary>
public sealed class ConnectedDevicesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RowWatches s_nobody = new();

    private readonly PresenceTable _presence;
    private readonly DeviceTable _table;

    public ConnectedDevicesTests()
    {
        DeviceTable? table = null;
        _presence = new PresenceTable(
            (tenant, device, entry) => table!.Attach(tenant, device, entry),
            (tenant, device) => table!.TellPresence(tenant, device, s_nobody, Now));
        _table = table = new DeviceTable(new ValuePool(), _presence);
    }

    [Fact]
    public void ListConnected_OfSomeWithSessions_NamesThemAndWhoHasThem()
    {
        Apply("A1", "", version: 1);
        Apply("A2", "spring", version: 1);
        Apply("A3", "", version: 1);
        Connect("A1", isConnected: true);
        Connect("A2", isConnected: true);
        Connect("A3", isConnected: false);

        var connected = _table.ListConnected(TenantId.Default, default, Now)!;

        Assert.Equal([new ConnectedDevice("A1", ""), new("A2", "spring")], connected.Devices.OrderBy(device => device.Name));
    }

    [Fact]
    public void ListConnected_OfAnotherTenant_NamesNobody()
    {
        Apply("A1", "", version: 1);
        Connect("A1", isConnected: true);
        Assert.True(TenantId.TryParse("other", out var other));

        Assert.Empty(_table.ListConnected(other, default, Now)!.Devices);
    }

    [Fact]
    public void ListConnected_OfOneWhoseGatewayWentSilent_LeavesItOut()
    {
        Apply("A1", "", version: 1);
        Connect("A1", isConnected: true);

        var late = Now + PresenceEntry.Lifetime + TimeSpan.FromSeconds(1);

        Assert.Empty(_table.ListConnected(TenantId.Default, default, late)!.Devices);
    }

    [Fact]
    public void ListConnected_WithTheMarkOfTheLastAnswer_IsNullUntilSomethingChanged()
    {
        Apply("A1", "", version: 1);
        Connect("A1", isConnected: true);
        var mark = Unchanged();

        Apply("A1", "", version: 2);
        Connect("A1", isConnected: true);
        Assert.Null(_table.ListConnected(TenantId.Default, mark, Now));

        Apply("A1", "spring", version: 3);
        mark = Changed(mark);
        Connect("A1", isConnected: false);
        mark = Changed(mark);
        Connect("A1", isConnected: true);
        mark = Changed(mark);
        Apply("A2", "", version: 1);
        mark = Changed(mark);
        Connect("A2", isConnected: true);
        mark = Changed(mark);

        // As a partition that was read anew: its marks are its own.
        var other = new DeviceTable(new ValuePool(), _presence);
        Assert.NotNull(other.ListConnected(TenantId.Default, mark, Now));
    }

    private ReachMark Unchanged() => _table.ListConnected(TenantId.Default, default, Now)!.Mark;

    private ReachMark Changed(ReachMark before)
    {
        var answer = _table.ListConnected(TenantId.Default, before, Now);
        Assert.NotNull(answer);
        Assert.Null(_table.ListConnected(TenantId.Default, answer.Mark, Now));
        return answer.Mark;
    }

    private void Apply(string name, string rollout, long version) => Assert.True(_table.Apply(
        new DeviceRow
        {
            Tenant = TenantId.Default,
            Name = name,
            State = DeviceState.InService,
            StateChangedAt = Now,
            Model = "M",
            Site = "",
            Track = "active",
            OsVersion = "12.0.0",
            ImageDigest = "",
            BootId = "",
            Compliance = ComplianceState.Unspecified,
            Generation = 0,
            Rollout = rollout,
        },
        version,
        s_nobody,
        Now));

    private void Connect(string name, bool isConnected)
    {
        Assert.True(DeviceId.TryParse(name, out var id));
        var session = new SessionPresence(
            TenantId.Default, id, 1, isConnected, Now, null, isConnected ? DisconnectReason.Unspecified : DisconnectReason.ConnectionLost);
        _presence.Apply(new PresenceReport("g", null!, false, [session]), Now);
    }
}
