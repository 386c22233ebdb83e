using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>
/// The way back of a rollout is more attempts of it, numbered behind all of the way there. So whatever names an attempt (an offer, a fact,
/// an answer) says which way it is about, and what is said of the way there is late once a device is on its way back.
/// </summary>
public static class WayBack
{
    /// <summary>Above every attempt of the way there, of which there are at most ten.</summary>
    public const int FirstRetry = 16;

    /// <summary>Why a device is left where it is: what it ran before is not known, or may not be offered to it any more.</summary>
    public const string NoWayBack = "NO_WAY_BACK";

    /// <summary>Why a device is left where it is: it does not run what the rollout brought.</summary>
    public const string NothingToRollBack = "NOTHING_TO_ROLL_BACK";

    /// <summary>Why an offer that was not delivered is taken back: its rollout is rolled back.</summary>
    public const string Ordered = "ROLLOUT_ROLLED_BACK";

    /// <summary>So often a device is asked that may still install what it shall go back from: a boot takes about as long.</summary>
    public static readonly TimeSpan SettleInterval = TimeSpan.FromMinutes(1);

    /// <summary>True for an attempt of the way back.</summary>
    public static bool Is(int retry) => retry >= FirstRetry;

    /// <summary>How many attempts of the same way ended before it.</summary>
    public static int CountOf(int retry) => Is(retry) ? retry - FirstRetry : retry;

    /// <summary>
    /// Until when the device may still boot into what the rollout brought, although its change is over: it was not the device that ended
    /// it, and it has named no generation since, with which it leaves what it was told before. In the boot in which it worked on it only a
    /// report is such a word, that is no refusal. Null when it may not.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="rollout">The rollout that is rolled back.</param>
    /// <param name="settlesWithin">How long after the end at most.</param>
    /// <param name="now">The time.</param>
    /// <param name="installWindows">
    /// When devices of the rollout may begin to install: of one that had not begun only that time counts; none for always.
    /// </param>
    public static DateTimeOffset? SettlesAt(
        Device device, ResourceId rollout, TimeSpan settlesWithin, DateTimeOffset now, ImmutableArray<OfferWindow> installWindows = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        return DeviceChanges.LastOf(device, rollout) is
            {
                Outcome: ChangeOutcome.TimedOut or ChangeOutcome.Skipped or ChangeOutcome.Withdrawn,
            } ended
            && !Is(ended.Retry)
            && (device.GenerationReached <= ended.Generation || (ended.WorkedInBoot is { } boot && boot == device.Os?.BootId))
            && InstallTimes.End(installWindows, ended.ClosedAt, settlesWithin, ended.HadBegun ? ended.ClosedAt : null) is { } settlesAt
            && now < settlesAt
                ? settlesAt
                : null;
    }

    /// <summary>The image that the device goes back to, or why there is none; as its own record says.</summary>
    /// <param name="device">The device.</param>
    /// <param name="rollout">The rollout that is rolled back.</param>
    /// <param name="target">The digest of the image that it brought.</param>
    /// <param name="path">The images of the steps before it: the rollout brought them, too.</param>
    public static (string Digest, string Reason) Find(
        Device device, ResourceId rollout, string target, ImmutableArray<StepImage> path)
    {
        ArgumentNullException.ThrowIfNull(device);
        var running = device.Os?.ImageDigest ?? "";
        var previous = DeviceChanges.LastOf(device, rollout)?.WayBackDigest ?? "";
        var isStep = running != previous && StepPath.IsStepOf(device, rollout, path, running);
        if (running.Length > 0 && running != target && !isStep)
        {
            return ("", NothingToRollBack);
        }

        return running.Length == 0 || previous.Length == 0 || previous == running ? ("", NoWayBack) : (previous, "");
    }
}
