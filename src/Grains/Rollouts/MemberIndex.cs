using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
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

    private readonly Dictionary<string, int> _byKey;
    private DateTimeOffset _reachReadAt = DateTimeOffset.MinValue;

    public MemberIndex(TenantId tenant, ShareMembers members)
    {
        Points = members.ToPoints();
        Reach = new MemberReach[Points.Length];
        _byKey = new Dictionary<string, int>(Points.Length, StringComparer.Ordinal);
        for (var i = 0; i < Points.Length; i++)
        {
            Reach[i] = MemberReach.Offline;
            _byKey.Add(DeviceKey.Of(tenant, Points[i].Device), i);
        }
    }

    public ImmutableArray<MemberPoint> Points { get; }

    public MemberReach[] Reach { get; }

    /// <summary>By member; the cuts are fixed by the start.</summary>
    public ImmutableArray<byte> Waves { get; private set; } = [];

    public bool TryFind(string deviceKey, out int member) => _byKey.TryGetValue(deviceKey, out member);

    public void Cut(ImmutableArray<WaveCut> cuts)
    {
        if (Waves.Length != Points.Length)
        {
            Waves = [.. Points.Select(point => (byte)WaveCut.WaveOf(cuts, point))];
        }
    }

    public async Task RefreshReachAsync(IInventoryGrain inventory, TenantId tenant, ResourceId rollout, DateTimeOffset now)
    {
        if (now - _reachReadAt < ReachInterval)
        {
            return;
        }

        var rows = await MatchingDevices.ReadAsync(inventory, tenant, "connected = true");
        Array.Fill(Reach, MemberReach.Offline);
        foreach (var row in rows)
        {
            if (TryFind(DeviceKey.Of(tenant, MatchingDevices.IdOf(row)), out var member))
            {
                var other = ((DeviceRow)row.Row).Rollout;
                Reach[member] = other.Length > 0 && other != rollout.Value ? MemberReach.Busy : MemberReach.Online;
            }
        }

        _reachReadAt = now;
    }
}
