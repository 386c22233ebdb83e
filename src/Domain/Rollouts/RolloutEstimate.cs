namespace Muster.Domain.Rollouts;

/// <summary>Why it is not known when a rollout ends.</summary>
public enum EstimateStop
{
    /// <summary>It is known.</summary>
    Unspecified = 0,

    /// <summary>Nobody has started it.</summary>
    Start = 1,

    /// <summary>It is paused or suspended, and an operator has to decide.</summary>
    Resume = 2,

    /// <summary>A wave waits for an approver, or will.</summary>
    Approval = 3,

    /// <summary>If devices go on failing as they do, a gate stops it.</summary>
    Gate = 4,

    /// <summary>It takes longer than is worth calculating.</summary>
    TooFar = 5,

    /// <summary>It or another is being calculated, or could not be, and nobody waits for that: ask again.</summary>
    Busy = 6,
}

/// <summary>When a rollout ends if it goes on as it does (<see cref="RolloutEstimator"/>).</summary>
/// <param name="EndsAt">Rounded up to a minute; null when it is not known.</param>
/// <param name="Stop">Why it is not known.</param>
/// <param name="StopsAt">When it comes to wait for that, or to be stopped; null when it does so already.</param>
/// <param name="Text">The same in one sentence, with what it was taken from.</param>
public sealed record RolloutEstimate(DateTimeOffset? EndsAt, EstimateStop Stop, DateTimeOffset? StopsAt, string Text);
