using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// What a share knows of the steps of its members: who took one runs what the rollout brought, whatever became of it since.
/// </summary>
public static class MemberSteps
{
    /// <summary>The device itself says that the rollout took it over a step, which the feed did not tell, or not yet.</summary>
    /// <param name="share">The share.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="hasStepped">What the device says; one that says no has nothing to add.</param>
    /// <param name="now">From when it is waited for: when the step was, it does not say.</param>
    public static RolloutShare Hear(RolloutShare share, int member, bool hasStepped, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        return hasStepped && MemberList.Find(share.Steps, member) is null
            ? share with { Steps = MemberList.With(share.Steps, new MemberStep(member, 0, now)) }
            : share;
    }

    /// <summary>A step that was taken.</summary>
    internal static RolloutShare Take(RolloutShare share, int member, MemberOutcome end) =>
        end.Outcome == ChangeOutcome.StepTaken
        && !(MemberList.Find(share.Steps, member) is { } known && (known.Retry, known.At).CompareTo((end.Retry, end.At)) >= 0)
            ? share with { Steps = MemberList.With(share.Steps, new MemberStep(member, end.Retry, end.At)) }
            : share;

    /// <summary>One that is read late ends nothing; but who was taken for untouched is not.</summary>
    internal static RolloutShare TakeLate(RolloutShare share, int member, MemberOutcome end)
    {
        var next = Take(share, member, end);
        return end.Outcome == ChangeOutcome.StepTaken && share.Members[member] == MemberStatus.Untouched
            ? next with { Members = next.Members.SetItem(member, MemberStatus.Waiting) }
            : next;
    }
}
