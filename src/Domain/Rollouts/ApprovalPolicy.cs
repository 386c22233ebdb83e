using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>
/// How many approvals an installation asks for, whatever the specs of rollouts ask for themselves (rollouts.md 22). Sites that need
/// approvals have a strategy that asks for them, and a rule that asks for the strategy.
/// </summary>
/// <param name="ToStart">Of every rollout, 0 to <see cref="RolloutLimits.ApprovalsMax"/>.</param>
/// <param name="ToDowngrade">Of rollouts to devices that run a newer version than the image's, and of ways back; the same range.</param>
public readonly record struct ApprovalPolicy(int ToStart, int ToDowngrade)
{
    /// <summary>The least that the way back of a rollout needs: it leads to older versions.</summary>
    public int ToRollBack => Math.Max(ToStart, ToDowngrade);

    /// <summary>Whether it has to be known how many members the change would take to an older version.</summary>
    public bool CountsDowngradesOf(RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return ToDowngrade > ToStart && spec.Kind == ChangeKind.OsImage;
    }

    /// <summary>The least that the rollout needs.</summary>
    public int Of(Rollout rollout)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return rollout.Downgrades > 0 ? ToRollBack : ToStart;
    }

    /// <summary>Whether the image may take a device back: also of one that has not said yet what it runs.</summary>
    public static bool MayBeDowngrade(string running, string target) =>
        !OsVersion.TryParse(running, out _) || IsDowngrade(running, target);

    /// <summary>Whether the image would take a device back. What is no version, or not known, is not older than anything.</summary>
    public static bool IsDowngrade(string running, string target) =>
        OsVersion.TryParse(running, out var now) && OsVersion.TryParse(target, out var then) && then < now;
}
