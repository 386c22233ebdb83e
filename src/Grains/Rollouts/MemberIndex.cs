using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// What a share keeps in memory about its members: who they are, their waves, and who can be reached. All of it is rebuilt
/// from the record, the plan's cuts and presence.
/// </summary>
internal sealed class MemberIndex
{
    /// <summary>Gateways tell presence every 1.5 s; asking more often would show nothing new.</summary>
    public static readonly TimeSpan ReachInterval = TimeSpan.FromSeconds(2);

    private readonly TenantId _tenant;
    private readonly long _seed;
    private readonly int _frozen;

    /// <summary>By the ids themselves: a million keys beside them would be a third of all that shares hold.</summary>
    private readonly Dictionary<string, int> _byName;

    /// <summary>Members that are busy with what no list shows, and until when.</summary>
    private readonly Dictionary<int, DateTimeOffset> _busyUntil = [];
    private DateTimeOffset _reachReadAt = DateTimeOffset.MinValue;

    public MemberIndex(TenantId tenant, ShareMembers members, ImmutableArray<DeviceId> joiners)
    {
        (_tenant, _seed) = (tenant, members.Seed);
        Points = members.ToPoints();
        _frozen = Points.Length;
        Reach = new MemberReach[_frozen];
        _byName = new Dictionary<string, int>(_frozen, StringComparer.Ordinal);
        for (var i = 0; i < _frozen; i++)
        {
            Reach[i] = MemberReach.Offline;
            _byName.Add(Points[i].Device.Value, i);
        }

        Join(joiners.IsDefault ? [] : joiners);
    }

    /// <summary>The frozen members in their order, and behind them who joined.</summary>
    public ImmutableArray<MemberPoint> Points { get; private set; }

    public MemberReach[] Reach { get; private set; }

    /// <summary>What <see cref="Reach"/> is of; nothing when the next question is to be answered as a whole.</summary>
    public ReachMark ReachMark { get; private set; }

    /// <summary>When it can be asked for again.</summary>
    public DateTimeOffset ReachDueAt => _reachReadAt + ReachInterval;

    /// <summary>When it is looked again at a member that is busy with what no list shows; null when none is.</summary>
    public DateTimeOffset? BusyUntil =>
        _busyUntil.Count == 0 ? null : _busyUntil.Values.Min() is var at && at > ReachDueAt ? at : ReachDueAt;

    /// <summary>By member; the cuts are fixed by the start, and who joins is in the last wave.</summary>
    public ImmutableArray<byte> Waves { get; private set; } = [];

    public bool Has(DeviceId device) => _byName.ContainsKey(device.Value);

    /// <param name="deviceKey">A <see cref="DeviceKey"/>, of any tenant.</param>
    /// <param name="member">Its place.</param>
    public bool TryFind(string deviceKey, out int member)
    {
        var tenant = _tenant.Value;
        member = -1;
        return deviceKey.Length > tenant.Length
            && deviceKey[tenant.Length] == '/'
            && deviceKey.StartsWith(tenant, StringComparison.Ordinal)
            && _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(deviceKey.AsSpan(tenant.Length + 1), out member);
    }

    public void Cut(ImmutableArray<WaveCut> cuts)
    {
        if (Waves.Length != Points.Length)
        {
            Waves = [.. Points.Select((_, member) => (byte)WaveOf(cuts, member))];
        }
    }

    public int WaveOf(ImmutableArray<WaveCut> cuts, int member) =>
        member < _frozen ? WaveCut.WaveOf(cuts, Points[member]) : cuts.Length - 1;

    /// <summary>Who joined, behind everybody else; where he is, and whether he can be reached, is looked up anew.</summary>
    public void Join(ImmutableArray<DeviceId> devices)
    {
        var from = Points.Length;
        Points = Points.AddRange(devices.Select(device => MemberPoint.Of(device, _seed, connected: false)));
        Reach = [.. Reach, .. Enumerable.Repeat(MemberReach.Offline, devices.Length)];
        for (var i = from; i < Points.Length; i++)
        {
            _byName.Add(Points[i].Device.Value, i);
        }

        (ReachMark, _reachReadAt) = (default, DateTimeOffset.MinValue);
    }

    /// <summary>Whether the device of the row can be offered something now.</summary>
    public static MemberReach ReachOf(ListedRow row, ResourceId rollout) =>
        row.Presence is { Connected: true } ? ReachOf(((DeviceRow)row.Row).Rollout, rollout) : MemberReach.Offline;

    /// <summary>
    /// A device itself knows better than what was told of it: until the next question, which is answered as a whole then, or until the time
    /// that it named.
    /// </summary>
    public void Correct(int member, MemberReach reach, DateTimeOffset? until = null)
    {
        if (until is { } at)
        {
            _busyUntil[member] = at;
        }

        Reach[member] = reach;
        ReachMark = default;
    }

    public async Task RefreshReachAsync(IInventoryGrain inventory, ResourceId rollout, DateTimeOffset now)
    {
        if (now - _reachReadAt < ReachInterval)
        {
            return;
        }

        foreach (var member in _busyUntil.Where(busy => busy.Value <= now).Select(busy => busy.Key).ToList())
        {
            _busyUntil.Remove(member);
            ReachMark = default;
        }

        if (await inventory.ListConnectedAsync(_tenant, ReachMark) is { } connected)
        {
            Array.Fill(Reach, MemberReach.Offline);
            foreach (var device in connected.Devices)
            {
                if (_byName.TryGetValue(device.Name, out var member))
                {
                    Reach[member] = _busyUntil.ContainsKey(member) ? MemberReach.Busy : ReachOf(device.Rollout, rollout);
                }
            }

            ReachMark = connected.Mark;
        }

        _reachReadAt = now;
    }

    /// <summary>Of a device that has a session.</summary>
    private static MemberReach ReachOf(string holder, ResourceId rollout) =>
        holder.Length > 0 && holder != rollout.Value ? MemberReach.Busy : MemberReach.Online;
}
