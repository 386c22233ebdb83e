using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory;

/// <summary>
/// The rollouts whose shares have read all that there is in a partition and want to hear of what comes. Each is told once of an outcome,
/// which ends its listening, and before that once of what can wait; it listens again when its share was asked. However much happens, a
/// coordinator gets two messages a round of each partition.
/// </summary>
/// <param name="tell">Told of the rollout, and whether it is urgent: the feed has a fact of the rollout itself.</param>
internal sealed class NewsListeners(Action<TenantId, ResourceId, bool> tell)
{
    /// <summary>Many more rollouts than anybody lets run at once; whoever is not among them is asked as if nobody told anything.</summary>
    public const int ListenersMax = 1_000;

    /// <summary>Shares that are quiet are asked several times in it: who has not listened since has ended, or asks another silo.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(TenantId Tenant, ResourceId Rollout), Listener> _listeners = [];
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

        _listeners[key] = new Listener(reach, IsToldAlready: false, now);
        return true;
    }

    /// <summary>
    /// Tells the rollout that the change is of at once, and all others of the tenant that a device is not in service: it may be a member of
    /// theirs. That can wait, for a delivery note that is imported says it of thousands which are not.
    /// </summary>
    public void Tell(DeviceChange change, DateTimeOffset now)
    {
        // Mostly nobody listens, and each change of a device comes by here.
        if (_listeners.Count > 0)
        {
            TellListeners(change, now);
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
        if (_listeners.Count > 0)
        {
            TellThoseWhoWait(current, now);
        }
    }

    /// <summary>Entries were passed over: there may be news for everybody.</summary>
    public void TellAll(DateTimeOffset now)
    {
        foreach (var key in _listeners.Keys.ToArray())
        {
            Tell(key, now);
        }
    }

    /// <summary>Whether a share of the rollout looks at the change.</summary>
    public static bool IsFor(DeviceChange change, TenantId tenant, ResourceId rollout) =>
        IsOf(change, tenant) && (change.IsOutOfService || RolloutOf(change) == rollout);

    private void TellListeners(DeviceChange change, DateTimeOffset now)
    {
        if (!TryFindTenant(change, out var tenant))
        {
            return;
        }

        if (RolloutOf(change) is { } rollout)
        {
            Tell((tenant, rollout), now);
        }

        if (change.IsOutOfService)
        {
            TellLater(listener => listener.Key.Tenant == tenant, now);
        }
    }

    private void TellThoseWhoWait(ReachMark current, DateTimeOffset now) =>
        TellLater(listener => listener.Value.Reach is { } known && known != current, now);

    private static bool TryFindTenant(DeviceChange change, out TenantId tenant)
    {
        var key = change.Record.Key;
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return TenantId.TryParse(key[..Math.Max(slash, 0)], out tenant);
    }

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

    private void Tell((TenantId Tenant, ResourceId Rollout) key, DateTimeOffset now)
    {
        if (_listeners.Remove(key, out var listener) && IsAlive(listener, now))
        {
            tell(key.Tenant, key.Rollout, true);
        }
    }

    /// <summary>An outcome is still to be told: they go on listening.</summary>
    private void TellLater(Func<KeyValuePair<(TenantId Tenant, ResourceId Rollout), Listener>, bool> isFor, DateTimeOffset now)
    {
        foreach (var (key, listener) in _listeners.Where(listener => !listener.Value.IsToldAlready && isFor(listener)).ToArray())
        {
            _listeners[key] = listener with { IsToldAlready = true };
            if (IsAlive(listener, now))
            {
                tell(key.Tenant, key.Rollout, false);
            }
        }
    }

    private static bool IsAlive(Listener listener, DateTimeOffset now) => now - listener.At <= Lifetime;

    private void Forget(DateTimeOffset now)
    {
        foreach (var key in _listeners.Where(listener => !IsAlive(listener.Value, now)).Select(listener => listener.Key).ToArray())
        {
            _listeners.Remove(key);
        }
    }

    /// <param name="Reach">Null when it does not wait for anybody to come.</param>
    /// <param name="IsToldAlready">It was told of what can wait, and is about to look at all of it.</param>
    /// <param name="At">When it listened last.</param>
    private readonly record struct Listener(ReachMark? Reach, bool IsToldAlready, DateTimeOffset At);
}
