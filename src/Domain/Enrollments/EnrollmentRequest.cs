using Muster.Domain.Devices;

namespace Muster.Domain.Enrollments;

/// <summary>What became of a request.</summary>
public enum EnrollmentRequestState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>An operator has to decide.</summary>
    Waiting = 1,

    /// <summary>An operator let the device come: it is expected since.</summary>
    Approved = 2,

    /// <summary>An operator sent the device away: it is not heard until <see cref="EnrollmentRequest.HeardAgainAt"/>.</summary>
    Denied = 3,

    /// <summary>Nobody decided in time; the device may ask again.</summary>
    Expired = 4,
}

/// <summary>The request of a device that nobody expects. Such a device has no record of its own (design.md §4).</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-request")]
public sealed record EnrollmentRequest
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required DeviceId Device { get; init; }

    [Id(2)] public required EnrollmentRequestState State { get; init; }

    [Id(3)] public required DateTimeOffset StateChangedAt { get; init; }

    /// <summary>Of the last hello that was kept.</summary>
    [Id(4)] public required EnrollmentEvidence Evidence { get; init; }

    /// <summary>The first hello of this request.</summary>
    [Id(5)] public required DateTimeOffset FirstSeenAt { get; init; }

    /// <summary>The last hello that was kept; hellos are kept once per <see cref="EnrollmentRequestRules.RefreshAfter"/>.</summary>
    [Id(6)] public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>When a request that waits expires.</summary>
    [Id(7)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The operator who decided last; empty before.</summary>
    [Id(8)] public string Decider { get; init; } = "";

    /// <summary>Why it was denied, in the operator's words; empty unless it was.</summary>
    [Id(9)] public string Reason { get; init; } = "";

    /// <summary>How often it was denied: each time the silence is twice as long.</summary>
    [Id(10)] public int Denials { get; init; }

    /// <summary>Until when a denied device is not heard; null before the first denial.</summary>
    [Id(11)] public DateTimeOffset? HeardAgainAt { get; init; }
}

/// <summary>A device that nobody expects asks to be let in.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-requested")]
public sealed record EnrollmentRequested([property: Id(0)] EnrollmentEvidence Evidence) : DomainEvent;

/// <summary>It said hello again while it waits.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-request-refreshed")]
public sealed record EnrollmentRequestRefreshed([property: Id(0)] EnrollmentEvidence Evidence) : DomainEvent;

/// <summary>An operator let it come.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-request-approved")]
public sealed record EnrollmentRequestApproved : DomainEvent;

/// <summary>An operator sent it away.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-request-denied")]
public sealed record EnrollmentRequestDenied(
    [property: Id(0)] string Reason, [property: Id(1)] DateTimeOffset HeardAgainAt) : DomainEvent;

/// <summary>Nobody decided in time.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-request-expired")]
public sealed record EnrollmentRequestExpired : DomainEvent;
