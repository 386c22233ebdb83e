namespace Muster.Domain.Serials;

/// <summary>How the tenants of an installation stand to a serial.</summary>
public enum SerialState
{
    /// <summary>Never shown.</summary>
    Unspecified = 0,

    /// <summary>At most one tenant expects it.</summary>
    Expected = 1,

    /// <summary>Several tenants expect it: no device enrols with it before a human has decided.</summary>
    Waiting = 2,

    /// <summary>A human has said whose it is.</summary>
    Assigned = 3,

    /// <summary>A tenant's device has proved that it is the one: it keeps the serial for ever, also as a tombstone.</summary>
    Held = 4,
}

/// <summary>Whose a serial is, by the word of an administrator of the installation.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="Decider">The administrator.</param>
/// <param name="Cause">In his words, 1 to 200 characters.</param>
/// <param name="At">When.</param>
[GenerateSerializer, Immutable, Alias("muster.serial-assignment")]
public sealed record SerialAssignment(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] string Decider,
    [property: Id(2)] string Cause,
    [property: Id(3)] DateTimeOffset At);

/// <summary>One serial of the installation as committed: which tenants expect it, and the one whose device has proved possession.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-claims")]
public sealed record SerialClaims
{
    [Id(0)] public required SerialId Id { get; init; }

    /// <summary>In the order in which they came; at most <see cref="SerialRules.TenantsMax"/>.</summary>
    [Id(1)] public ImmutableArray<TenantId> Expecting { get; init; } = [];

    /// <summary>The one that proved possession; null before, never another after.</summary>
    [Id(2)] public TenantId? Holder { get; init; }

    /// <summary>What a human decided; null when nobody had to.</summary>
    [Id(3)] public SerialAssignment? Assignment { get; init; }

    /// <summary>When a second tenant came; null for a serial that was never disputed, which no list shows.</summary>
    [Id(4)] public DateTimeOffset? DisputedAt { get; init; }

    public SerialState State => Holder is not null ? SerialState.Held
        : Assignment is not null ? SerialState.Assigned
        : Expecting.Length > 1 ? SerialState.Waiting
        : SerialState.Expected;
}
