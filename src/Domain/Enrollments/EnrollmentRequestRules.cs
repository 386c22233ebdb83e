using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Enrollments;

/// <summary>Decides about requests of devices that nobody expects.</summary>
public static class EnrollmentRequestRules
{
    /// <summary>An operator decides within a working week, a holiday included.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromDays(14);

    /// <summary>A device that waits commits at most once in this time, however often it says hello: a flood does not write.</summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(1);

    /// <summary>What a device that waits is told: a person needs minutes, and an installer stands beside it.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long an approval waits for its expectation, which the same call writes a moment later: when that failed, an operator repeats it
    /// within the day. A device that is unknown still after that asks anew, or nobody would ever decide about it again.
    /// </summary>
    public static readonly TimeSpan ApprovalLifetime = TimeSpan.FromDays(1);

    /// <summary>After the first denial.</summary>
    public static readonly TimeSpan SilenceMin = TimeSpan.FromHours(1);

    /// <summary>Longer would keep away a device that was sold on, and whose denial nobody remembers.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromDays(7);

    /// <summary>Eight doublings of an hour are above a week: a higher count says nothing.</summary>
    private const int DoublingsMax = 8;

    /// <summary>Whether the device may say hello: null when it may, else what it is told without being heard.</summary>
    public static FleetError? Check(EnrollmentRequest? request, DateTimeOffset now) => request?.State switch
    {
        null or EnrollmentRequestState.Expired => null,
        EnrollmentRequestState.Waiting => now < request.LastSeenAt + RefreshAfter && now < request.ExpiresAt
            ? EnrollmentRequestErrors.Waits(request.Device)
            : null,
        // Its expectation is about to be written.
        EnrollmentRequestState.Approved => now < request.StateChangedAt + ApprovalLifetime
            ? EnrollmentRequestErrors.Waits(request.Device)
            : null,
        EnrollmentRequestState.Denied => request.HeardAgainAt is { } until && now < until
            ? EnrollmentRequestErrors.Denied(request.Device, until, now)
            : null,
        _ => throw Unknown(request),
    };

    /// <summary>Whether its next hello needs a place among those that wait.</summary>
    public static bool NeedsPlace(EnrollmentRequest? request, DateTimeOffset now) => Check(request, now) is null
        && !(request is { State: EnrollmentRequestState.Waiting } && now < request.ExpiresAt);

    /// <summary>Takes a hello. Whatever is decided, <see cref="Check"/> of what comes next is what the device is told.</summary>
    public static Decision<EnrollmentRequest?> Apply(
        EnrollmentRequest? current, TenantId tenant, EnrollmentEvidence evidence, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (Check(current, now) is not null)
        {
            return Decision.Unchanged(current);
        }

        if (!NeedsPlace(current, now))
        {
            return Decision.Accept<EnrollmentRequest?>(
                current! with { Evidence = evidence, LastSeenAt = now }, new EnrollmentRequestRefreshed(evidence));
        }

        var next = new EnrollmentRequest
        {
            Tenant = tenant,
            Device = evidence.Identity.Device,
            State = EnrollmentRequestState.Waiting,
            StateChangedAt = now,
            Evidence = evidence,
            FirstSeenAt = now,
            LastSeenAt = now,
            ExpiresAt = now + TimeToLive,
            Decider = current?.Decider ?? "",
            Reason = current?.Reason ?? "",
            Denials = current?.Denials ?? 0,
            HeardAgainAt = current?.HeardAgainAt,
        };
        return Decision.Accept<EnrollmentRequest?>(next, new EnrollmentRequested(evidence));
    }

    /// <summary>An operator lets the device come. One that was denied may be approved after all.</summary>
    /// <param name="current">As committed.</param>
    /// <param name="actor">Who.</param>
    /// <param name="certificateSha256">The certificate that he has seen: a newer hello may have brought another.</param>
    /// <param name="now">The time.</param>
    public static Decision<EnrollmentRequest> Approve(
        EnrollmentRequest current, Actor actor, Sha256Hash certificateSha256, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        if (EnrollmentRules.CheckSeen(current.Evidence.Identity, certificateSha256) is { } unseen)
        {
            return Decision.Refuse(current, unseen);
        }

        return current.State switch
        {
            EnrollmentRequestState.Waiting or EnrollmentRequestState.Denied => Decision.Accept(
                current with
                {
                    State = EnrollmentRequestState.Approved,
                    StateChangedAt = now,
                    Decider = actor.Name,
                    Reason = "",
                    HeardAgainAt = null,
                },
                new EnrollmentRequestApproved()),
            // A retried command is not an error: the caller may have lost our first answer.
            EnrollmentRequestState.Approved => Decision.Unchanged(current),
            EnrollmentRequestState.Expired => Decision.Refuse(current, EnrollmentRequestErrors.StateInvalid(current, "approve")),
            _ => throw Unknown(current),
        };
    }

    /// <summary>An operator sends the device away, each time for twice as long.</summary>
    public static Decision<EnrollmentRequest> Deny(EnrollmentRequest current, Actor actor, string reason, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > DeviceLifecycle.CauseLengthMax)
        {
            return Decision.Refuse(current, EnrollmentRequestErrors.ReasonInvalid());
        }

        switch (current.State)
        {
            case EnrollmentRequestState.Waiting:
                var until = now + SilenceOf(current.Denials + 1);
                return Decision.Accept(
                    current with
                    {
                        State = EnrollmentRequestState.Denied,
                        StateChangedAt = now,
                        Decider = actor.Name,
                        Reason = reason,
                        Denials = current.Denials + 1,
                        HeardAgainAt = until,
                    },
                    new EnrollmentRequestDenied(reason, until));
            case EnrollmentRequestState.Denied:
                return Decision.Unchanged(current);
            case EnrollmentRequestState.Approved or EnrollmentRequestState.Expired:
                return Decision.Refuse(current, EnrollmentRequestErrors.StateInvalid(current, "deny"));
            default:
                throw Unknown(current);
        }
    }

    /// <summary>Looks at the clock: a request that nobody decided in time expires.</summary>
    public static Decision<EnrollmentRequest> Look(EnrollmentRequest current, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        return current.State == EnrollmentRequestState.Waiting && now >= current.ExpiresAt
            ? Decision.Accept(
                current with { State = EnrollmentRequestState.Expired, StateChangedAt = now }, new EnrollmentRequestExpired())
            : Decision.Unchanged(current);
    }

    /// <summary>When <see cref="Look"/> has something to do; null for never.</summary>
    public static DateTimeOffset? NextDueAt(EnrollmentRequest? request) =>
        request is { State: EnrollmentRequestState.Waiting } ? request.ExpiresAt : null;

    /// <summary>How long a device is not heard after so many denials: an hour, doubled by each, at most a week.</summary>
    public static TimeSpan SilenceOf(int denials)
    {
        var silence = SilenceMin * (1 << Math.Clamp(denials - 1, 0, DoublingsMax));
        return silence < SilenceMax ? silence : SilenceMax;
    }

    private static UnreachableException Unknown(EnrollmentRequest request) =>
        new($"The request of device '{request.Device}' has unknown state {request.State}.");
}
