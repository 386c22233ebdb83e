using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory;

/// <summary>
/// The rollouts whose shares have read all that there is in a partition and want to hear of what comes. Each is told once, and listens
/// again when its share was asked: however much happens, a coordinator gets one message a round of each partition.
/// </summary>
/// <param name="tell">Told of the rollout, and whether the feed has something for it.</param>
internal sealed class NewsListeners(Action<TenantId, ResourceId, bool> tell)
{
    /// <summary>Many more rollouts than anybody lets run at once; whoever is not among them is asked as if nobody told anything.</summary>
    public const int ListenersMax = 1_000;

    /// <summary>Shares that are quiet are asked several times in it: who has not listened since has ended, or asks another silo.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(TenantId Tenant, ResourceId Rollout), (ReachMark? Reach, DateTimeOffset At)> _listeners = [];
    private ReachMark _told;

    /// <summary>False when there are as many as there may be.</summary>
    /// <param name="command">Who listens.</param>
    /// <param name="reach">Null when it does not wait for anybody to come.</param>
    /// <param name="now">The time.</param>
    public bool Put(ListenForNews command, ReachMark? reach, DateTimeOffset now)
    {
        var key = (command.Tenant, command.Rollout);
        if (_listeners.Count >= ListenersMax && !_listeners.ContainsKey(key))
        {
            Forget(now);
        }

        if (_listeners.Count >= ListenersMax && !_listeners.ContainsKey(key))
        {
            return false;
        }

        _listeners[key] = (reach, now);
        return true;
    }

    /// <summary>
    /// Tells the rollout that the change is of, or all of the tenant of a device that is not in service: it may be a member.
    /// </summary>
    public void Tell(DeviceChange change, DateTimeOffset now)
    {
        if (_listeners.Count == 0)
        {
            return;
        }

        if (change.IsOutOfService)
        {
            foreach (var key in _listeners.Keys.Where(key => IsOf(change, key.Tenant)).ToArray())
            {
                Tell(key, hasFeed: true, now);
            }
        }
        else if (RolloutOf(change) is { } rollout)
        {
            foreach (var key in _listeners.Keys.Where(key => key.Rollout == rollout && IsOf(change, key.Tenant)).ToArray())
            {
                Tell(key, hasFeed: true, now);
            }
        }
    }

    /// <summary>Tells those that wait for somebody when who can be reached has changed.</summary>
    public void TellReach(ReachMark current, DateTimeOffset now)
    {
        if (current == _told)
        {
            return;
        }

        _told = current;
        foreach (var key in _listeners.Where(listener => listener.Value.Reach is { } known && known != current)
            .Select(listener => listener.Key).ToArray())
        {
            Tell(key, hasFeed: false, now);
        }
    }

    /// <summary>Entries were passed over: there may be news for everybody.</summary>
    public void TellAll(DateTimeOffset now)
    {
        foreach (var key in _listeners.Keys.ToArray())
        {
            Tell(key, hasFeed: true, now);
        }
    }

    /// <summary>Whether a share of the rollout looks at the change.</summary>
    public static bool IsFor(DeviceChange change, TenantId tenant, ResourceId rollout) =>
        IsOf(change, tenant) && (change.IsOutOfService || RolloutOf(change) == rollout);

    private static ResourceId? RolloutOf(DeviceChange change) => change.Fact switch
    {
        ChangeOffered fact => fact.Rollout,
        ChangeDelivered fact => fact.Rollout,
        ChangeProgressed fact => fact.Rollout,
        ChangeClosed fact => fact.Rollout,
        _ => null,
    };

    private static bool IsOf(DeviceChange change, TenantId tenant) => change.Record.Key is var device
        && device.Length > tenant.Value.Length
        && device[tenant.Value.Length] == '/'
        && device.StartsWith(tenant.Value, StringComparison.Ordinal);

    private void Tell((TenantId Tenant, ResourceId Rollout) key, bool hasFeed, DateTimeOffset now)
    {
        if (_listeners.Remove(key, out var listener) && now - listener.At <= Lifetime)
        {
            tell(key.Tenant, key.Rollout, hasFeed);
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var key in _listeners.Where(listener => now - listener.Value.At > Lifetime).Select(listener => listener.Key).ToArray())
        {
            _listeners.Remove(key);
        }
    }
}
