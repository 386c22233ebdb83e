using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Tenants;

namespace Muster.Domain.Serials;

/// <summary>What a tenant's device record says of itself to those who have not heard of it.</summary>
public enum SerialStanding
{
    /// <summary>There is no device.</summary>
    None = 0,

    /// <summary>It is expected, and has not proved anything.</summary>
    Expected = 1,

    /// <summary>It has an identity on record, whatever became of it.</summary>
    Proved = 2,
}

/// <summary>What becomes of a serial's claims.</summary>
/// <param name="Next">As it is to be committed; the very object that was there when nothing changed.</param>
/// <param name="Facts">None for a change that nobody disputes: the device's own commit tells of it.</param>
/// <param name="Error">Why not; null when it was done, or had been.</param>
public readonly record struct SerialChange(SerialClaims? Next, ImmutableArray<DomainEvent> Facts, FleetError? Error);

/// <summary>Decides which tenant a serial belongs to (design.md §4). Asked before a device is expected, admitted or enrolled.</summary>
public static class SerialRules
{
    /// <summary>There are no more tenants at a time.</summary>
    public const int TenantsMax = TenantDirectory.TenantsMax;

    /// <summary>Null when the certificate was read by the profile that speaks for its serial.</summary>
    public static FleetError? CheckProfile(DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var serial = SerialId.Of(identity.Device);
        return serial.Profile == identity.Profile ? null : SerialErrors.OfAnotherProfile(serial, identity.Profile);
    }

    /// <summary>How a tenant stands to the serial by its device's record; null when there is none.</summary>
    public static SerialStanding StandingOf(Device? device) => device switch
    {
        null or { State: DeviceState.Withdrawn } => SerialStanding.None,
        { Identity: null } => SerialStanding.Expected,
        _ => SerialStanding.Proved,
    };

    /// <summary>
    /// Null when a device of the tenant may enrol with it. A tenant that does not expect it itself has nothing to dispute: for it the
    /// serial is another's.
    /// </summary>
    public static FleetError? Check(SerialClaims? current, TenantId tenant)
    {
        if (current is null || current.Holder == tenant)
        {
            return null;
        }

        var device = current.Id.Device;
        if ((current.Holder ?? current.Assignment?.Tenant) is { } owner)
        {
            return owner == tenant ? null : SerialErrors.OfAnotherTenant(device);
        }

        return current.Expecting.All(expecting => expecting == tenant) ? null
            : current.Expecting.Contains(tenant) ? SerialErrors.Disputed(device)
            : SerialErrors.OfAnotherTenant(device);
    }

    /// <summary>
    /// A tenant expects it: refused when another has proved possession, else taken, and with a second tenant disputed.
    /// </summary>
    /// <param name="current">Null before the first claim.</param>
    /// <param name="id">The serial.</param>
    /// <param name="tenant">Who expects it.</param>
    /// <param name="unclaimed">
    /// How the tenant <c>default</c> stands to it by its own device's record: while it was the only one it made no claims.
    /// </param>
    /// <param name="now">The time.</param>
    public static SerialChange Expect(
        SerialClaims? current, SerialId id, TenantId tenant, SerialStanding unclaimed, DateTimeOffset now)
    {
        var (known, facts) = Learn(current, id, unclaimed, now);
        if (known?.Holder is { } holder && holder != tenant)
        {
            return new SerialChange(known, facts, SerialErrors.OfAnotherTenant(id.Device));
        }

        if (known?.Expecting.Length >= TenantsMax && !known.Expecting.Contains(tenant))
        {
            return new SerialChange(known, facts, SerialErrors.Disputed(id.Device));
        }

        var (next, more) = Add(known, id, tenant, now);
        return new SerialChange(next, facts.AddRange(more), null);
    }

    /// <summary>
    /// A device of the tenant proves possession. It holds the serial from then on, or the dispute is on record, and why it is refused is
    /// what <see cref="Check"/> says of what comes next.
    /// </summary>
    public static SerialChange Claim(SerialClaims? current, SerialId id, TenantId tenant, DateTimeOffset now)
    {
        if (current?.Holder is not null)
        {
            return new SerialChange(current, [], Check(current, tenant));
        }

        var isFree = current is null
            || (current.Assignment is { } assignment ? assignment.Tenant == tenant : current.Expecting.All(one => one == tenant));
        if (!isFree && current!.Expecting.Length >= TenantsMax)
        {
            return new SerialChange(current, [], Check(current, tenant));
        }

        var (next, facts) = Add(current, id, tenant, now);
        if (isFree)
        {
            (next, facts) = Hold(next, tenant, facts);
        }

        return new SerialChange(next, facts, Check(next, tenant));
    }

    /// <summary>A tenant expects it no longer. What its device has proved stays its own, and a decision for it ends.</summary>
    public static SerialChange Withdraw(SerialClaims? current, TenantId tenant)
    {
        if (current is null || current.Holder == tenant || !current.Expecting.Contains(tenant))
        {
            return new SerialChange(current, [], null);
        }

        var next = current with
        {
            Expecting = current.Expecting.Remove(tenant),
            Assignment = current.Assignment?.Tenant == tenant ? null : current.Assignment,
        };
        return new SerialChange(next, current.DisputedAt is null ? [] : [new SerialWithdrawn(tenant)], null);
    }

    /// <summary>
    /// An administrator of the installation says whose a disputed serial is. He may change his mind until a device has proved possession.
    /// </summary>
    public static SerialChange Assign(SerialClaims current, TenantId tenant, Actor actor, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        if (DeviceLifecycle.CheckCause(cause) is { } invalid)
        {
            return new SerialChange(current, [], invalid);
        }

        if (current.Holder is { } holder)
        {
            return new SerialChange(
                current, [], holder == tenant ? null : NotAssignable(current, tenant, $"a device of '{holder}' has proved possession"));
        }

        if (!current.Expecting.Contains(tenant))
        {
            return new SerialChange(current, [], NotAssignable(current, tenant, "it does not expect it"));
        }

        if (current.DisputedAt is null)
        {
            return new SerialChange(current, [], NotAssignable(current, tenant, "nobody disputes it"));
        }

        if (current.Assignment?.Tenant == tenant)
        {
            return new SerialChange(current, [], null);
        }

        var assigned = new SerialAssignment(tenant, actor.Name, cause, now);
        return new SerialChange(current with { Assignment = assigned }, [new SerialAssigned(assigned)], null);
    }

    private static (SerialClaims? Next, ImmutableArray<DomainEvent> Facts) Learn(
        SerialClaims? current, SerialId id, SerialStanding unclaimed, DateTimeOffset now)
    {
        if (unclaimed == SerialStanding.None)
        {
            return (current, []);
        }

        var (next, facts) = Add(current, id, TenantId.Default, now);
        return unclaimed == SerialStanding.Proved && next.Holder is null ? Hold(next, TenantId.Default, facts) : (next, facts);
    }

    private static (SerialClaims Next, ImmutableArray<DomainEvent> Facts) Add(
        SerialClaims? current, SerialId id, TenantId tenant, DateTimeOffset now)
    {
        var known = current ?? new SerialClaims { Id = id };
        if (known.Expecting.Contains(tenant))
        {
            return (known, []);
        }

        var next = known with { Expecting = known.Expecting.Add(tenant) };
        return next.Expecting.Length < 2
            ? (next, [])
            : (next with { DisputedAt = known.DisputedAt ?? now }, [new SerialDisputed(tenant)]);
    }

    private static (SerialClaims Next, ImmutableArray<DomainEvent> Facts) Hold(
        SerialClaims claims, TenantId tenant, ImmutableArray<DomainEvent> facts) =>
        (claims with { Holder = tenant }, claims.DisputedAt is null ? facts : facts.Add(new SerialProved(tenant)));

    private static FleetError NotAssignable(SerialClaims current, TenantId tenant, string cause) =>
        SerialErrors.NotAssignable(current.Id, tenant, cause);
}
