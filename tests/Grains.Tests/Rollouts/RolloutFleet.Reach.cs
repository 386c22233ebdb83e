using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Who has a session, told again only after it changed; and how many devices there are, by some of their fields.</summary>
internal sealed partial class RolloutFleet
{
    private readonly Dictionary<int, ConnectedDevices> _connected = [];

    public ConnectedDevices? ListConnected(int partition, ReachMark known)
    {
        lock (_gate)
        {
            ImmutableArray<ConnectedDevice> devices =
            [
                .. _units.Where(unit => partitions.OfDevice(unit.Key) == partition && unit.Value.Online)
                    .Select(unit => new ConnectedDevice(unit.Value.Id.Value, RowOf(unit.Value).Rollout)),
            ];
            if (!_connected.TryGetValue(partition, out var last) || !last.Devices.SequenceEqual(devices))
            {
                _connected[partition] = last = new ConnectedDevices(new ReachMark(Guid.NewGuid(), 1), devices);
            }

            return last.Mark == known ? null : last;
        }
    }

    /// <summary>Two to a page.</summary>
    public DevicesInService ListInService(int partition, string filter, string after)
    {
        var page = List(partition, new RowQuery(TenantId.Default, GrainTypes.Device, filter, after, RowsMax: 2));
        return new DevicesInService(
            [
                .. page.Rows.Where(row => row.Row is DeviceRow { State: DeviceState.InService })
                    .Select(row => new DeviceInService(row.Row.Name, row.Presence is { Connected: true })),
            ],
            page.IsLast ? null : page.Rows[^1].Row.Name,
            page.Error);
    }

    public RowCounts Count(int partition, RowQuery query, string groupBy)
    {
        var rows = List(partition, query with { RowsMax = int.MaxValue }).Rows;
        var fields = groupBy.Split(", ").Select(name => InventoryFields.Device.Single(field => field.Name == name)).ToArray();
        return new RowCounts(
            rows.Length,
            [
                .. rows.Select(row => fields.Select(field => field.Show(row.Field(field.Name, ""))).ToImmutableArray())
                    .GroupBy(values => string.Join('\n', values))
                    .Select(group => RowGroup.Of(group.First(), group.Count())),
            ],
            null);
    }
}
