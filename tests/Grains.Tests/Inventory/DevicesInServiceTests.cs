using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Grains.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Tests.Inventory;

/// <summary>The devices that a rollout may have, by their names alone.</summary>
public sealed class DevicesInServiceTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RowWatches s_nobody = new();

    private readonly PresenceTable _presence;
    private readonly DeviceTable _table;

    public DevicesInServiceTests()
    {
        DeviceTable? table = null;
        _presence = new PresenceTable(
            (tenant, device, entry) => table!.Attach(tenant, device, entry),
            (tenant, device) => table!.TellPresence(tenant, device, s_nobody, Now));
        _table = table = new DeviceTable(new ValuePool(), _presence);
    }

    [Fact]
    public void ListInService_OfAFilter_NamesThoseOfItThatAreInService()
    {
        Apply("A3", DeviceState.InService, "Lund");
        Apply("A1", DeviceState.InService, "Lund");
        Apply("A2", DeviceState.Quarantined, "Lund");
        Apply("A4", DeviceState.InService, "Oslo");
        Connect("A3");

        var page = List("site = Lund", "", max: 10);

        Assert.Equal([new DeviceInService("A1", false), new("A3", true)], page.Devices);
        Assert.Null(page.After);
    }

    [Fact]
    public void ListInService_PageByPage_NamesEachOnceAlsoBehindAPageOfNone()
    {
        Apply("A1", DeviceState.Expected, "");
        Apply("A2", DeviceState.Decommissioned, "");
        Apply("A3", DeviceState.InService, "");
        Apply("A4", DeviceState.InService, "");
        Apply("A5", DeviceState.InService, "");

        var names = new List<string>();
        var pages = 0;
        for (var after = ""; after is not null; pages++)
        {
            var page = List("", after, max: 2);
            names.AddRange(page.Devices.Select(device => device.Name));
            after = page.After;
        }

        Assert.Equal(["A3", "A4", "A5"], names);
        Assert.Equal(3, pages);
    }

    [Fact]
    public void ListInService_OfAnotherTenant_NamesNobody()
    {
        Apply("A1", DeviceState.InService, "");
        Assert.True(TenantId.TryParse("other", out var other));

        var query = new RowQuery(other, GrainTypes.Device, "", "", RowsMax: 10);
        Assert.Empty(_table.ListInService(query, query.ReadFilter().Filter, Now).Devices);
    }

    private DevicesInService List(string filter, string after, int max)
    {
        var query = new RowQuery(TenantId.Default, GrainTypes.Device, filter, after, max);
        return _table.ListInService(query, query.ReadFilter().Filter, Now);
    }

    private void Apply(string name, DeviceState state, string site) => Assert.True(_table.Apply(
        new DeviceRow
        {
            Tenant = TenantId.Default,
            Name = name,
            State = state,
            StateChangedAt = Now,
            Model = "M",
            Site = site,
            Track = "active",
            OsVersion = "12.0.0",
            ImageDigest = "",
            BootId = "",
            Compliance = ComplianceState.Unspecified,
            Generation = 0,
            Rollout = "",
        },
        1,
        s_nobody,
        Now));

    private void Connect(string name)
    {
        Assert.True(DeviceId.TryParse(name, out var id));
        _presence.Apply(
            new PresenceReport("g", null!, false, [new(TenantId.Default, id, 1, true, Now, null, DisconnectReason.Unspecified)]), Now);
    }
}
