using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>How an amount of devices is stated.</summary>
public enum AmountKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>A number of devices.</summary>
    Count = 1,

    /// <summary>Whole percent of all members of the rollout, 1 to 100.</summary>
    Percent = 2,
}

/// <summary>An amount of devices: a count, or whole percent of all members.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-amount")]
public readonly record struct Amount([property: Id(0)] AmountKind Kind, [property: Id(1)] int Value)
{
    /// <summary>A number of devices, from 1.</summary>
    public static Amount Count(int devices) => new(AmountKind.Count, devices);

    /// <summary>Percent of all members, 1 to 100.</summary>
    public static Amount Percent(int percent) => new(AmountKind.Percent, percent);

    public override string ToString() => Kind == AmountKind.Percent ? $"{Value}%" : $"{Value}";
}

/// <summary>One wave as the operator lists it (rollouts.md 2).</summary>
/// <param name="Size">A count of devices, or the cumulative percentage of all members after this wave.</param>
/// <param name="SuccessPercent">Success gate, 0 to 100: succeeded of members that were neither removed nor skipped.</param>
/// <param name="MinSucceeded">Successes that the wave needs whatever the percentage, from 1; every remaining member if fewer.</param>
/// <param name="Soak">How long the open gate is watched before the next wave starts; 0 for not at all.</param>
/// <param name="ConnectedOnly">Devices without a session at the freeze are passed over and swept up in a later wave.</param>
[GenerateSerializer, Immutable, Alias("muster.wave-spec")]
public sealed record WaveSpec(
    [property: Id(0)] Amount Size,
    [property: Id(1)] int SuccessPercent,
    [property: Id(2)] int MinSucceeded,
    [property: Id(3)] TimeSpan Soak,
    [property: Id(4)] bool ConnectedOnly)
{
    /// <summary>One success is the least evidence that a wave can give.</summary>
    public const int MinSucceededDefault = 1;

    /// <summary>After its gate and its soak the wave waits for an approver other than the rollout's authors (a manual gate).</summary>
    [Id(20)] public bool NeedsApproval { get; init; }

    /// <summary>Takes only members that match at the freeze, in the language of the device list's filter; null for every member.</summary>
    [Id(80)] public string? Filter { get; init; }

    /// <summary>
    /// Fields whose values are all to be represented in proportion, at least one device each while the size allows (rollouts.md 3); none
    /// for the order alone.
    /// </summary>
    [Id(81)] public ImmutableArray<string> StratifyBy { get; init; } = [];

    public bool HasFilter => !string.IsNullOrEmpty(Filter);

    public bool IsStratified => !StratifyBy.IsDefaultOrEmpty;

    /// <summary>By value, fields included: a repeated request is recognised by it.</summary>
    public bool Equals(WaveSpec? other) =>
        other is not null
        && (Size, SuccessPercent, MinSucceeded, Soak) == (other.Size, other.SuccessPercent, other.MinSucceeded, other.Soak)
        && (ConnectedOnly, NeedsApproval, Filter) == (other.ConnectedOnly, other.NeedsApproval, other.Filter)
        && StratifyBy.AsSpan().SequenceEqual(other.StratifyBy.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Size, SuccessPercent, MinSucceeded, Soak, ConnectedOnly, Filter);
}

/// <summary>What a failure gate that fires does.</summary>
public enum FailureAction
{
    /// <summary>Nothing more is offered until somebody resumes with an override; what every gate did before there was a choice.</summary>
    Suspend = 0,

    /// <summary>Nothing more is offered for good; the rollout ends when the devices in progress have.</summary>
    Abort = 1,

    /// <summary>The devices that were offered the change are offered what they ran before.</summary>
    RollBack = 2,
}

/// <summary>
/// When failures stop the rollout (rollouts.md 16); evaluated per wave, also while it soaks and after it passed. At
/// the threshold it fires.
/// </summary>
/// <param name="FailureCount">Fires at this many failed devices of a wave; null for no such limit.</param>
/// <param name="FailurePercent">Fires at failed × 100 ≥ this × finished, 1 to 100; null for no such limit.</param>
/// <param name="MinFinished">Devices of the wave that must be finished before the percentage counts, from 1.</param>
[GenerateSerializer, Immutable, Alias("muster.failure-gate")]
public sealed record FailureGate(
    [property: Id(0)] int? FailureCount,
    [property: Id(1)] int? FailurePercent,
    [property: Id(2)] int MinFinished)
{
    /// <summary>Never fires; the success gate alone decides.</summary>
    public static FailureGate Off { get; } = new(null, null, 1);

    /// <summary>What it does when it fires.</summary>
    [Id(20)] public FailureAction Action { get; init; }
}

/// <summary>
/// What an operator orders: an OS image, or settings, for all devices that match, wave by wave, under gates, rate and budget.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-spec")]
public sealed record RolloutSpec
{
    /// <summary>One hour of time in which the device may act (rollouts.md 9).</summary>
    public static readonly TimeSpan InProgressTimeoutDefault = TimeSpan.FromHours(1);

    /// <summary>Seven days from a member's first turn (rollouts.md 9): <see cref="MemberTurns"/>.</summary>
    public static readonly TimeSpan UndeliveredTimeoutDefault = TimeSpan.FromDays(7);

    /// <summary>SHA-256 of the image, 64 lower-case hex digits; empty with <see cref="Settings"/>.</summary>
    [Id(0)] public required string ImageDigest { get; init; }

    /// <summary>The image's version for people; the digest decides. Empty with <see cref="Settings"/>.</summary>
    [Id(1)] public required string TargetVersion { get; init; }

    /// <summary>Which devices, in the language of the device list's filter; empty for every device in service.</summary>
    [Id(2)] public string Filter { get; init; } = "";

    /// <summary>Key of the order of the members: the same spec and seed give the same waves.</summary>
    [Id(3)] public long Seed { get; init; }

    /// <summary>At least one; what no wave takes goes to a last one with the gate of the last listed.</summary>
    [Id(4)] public required ImmutableArray<WaveSpec> Waves { get; init; }

    [Id(5)] public FailureGate FailureGate { get; init; } = FailureGate.Off;

    /// <summary>
    /// Offers in any 60 s, by their commit times; 0 for no limit. With <see cref="RateGrowth"/> what the rate begins with.
    /// </summary>
    [Id(6)] public int DevicesPerMinute { get; init; }

    /// <summary>Devices offered and without an outcome at a time; null for no limit. There is always room for one.</summary>
    [Id(7)] public Amount? MaxUnavailable { get; init; }

    /// <summary>Offers across tracks (active, long-term support) are refused unless this says so.</summary>
    [Id(8)] public bool AllowTrackChange { get; init; }

    /// <summary>Ends a delivered offer without outcome, as <see cref="InProgressPolicy"/> says.</summary>
    [Id(9)] public TimeSpan InProgressTimeout { get; init; } = InProgressTimeoutDefault;

    /// <summary>
    /// Ends a member that could not be reached since its turn, or named no offer since the first was made to it, as
    /// <see cref="UndeliveredPolicy"/> says (<see cref="MemberTurns"/>).
    /// </summary>
    [Id(10)] public TimeSpan UndeliveredTimeout { get; init; } = UndeliveredTimeoutDefault;

    /// <summary>How the rate grows with what was reached; null for a constant rate.</summary>
    [Id(11)] public RateGrowth? RateGrowth { get; init; }

    /// <summary>
    /// Operators other than the authors who have to approve the spec before the start, 0 to <see cref="RolloutLimits.ApprovalsMax"/>; the
    /// installation may ask for more.
    /// </summary>
    [Id(20)] public int ApprovalsRequired { get; init; }

    /// <summary>What a gate stopped is resumed by an approver only, who is none of the rollout's authors.</summary>
    [Id(21)] public bool OverrideNeedsApprover { get; init; }

    /// <summary>SHA-256 over everything that is ordered, 64 lower-case hex digits: what approvals are bound to.</summary>
    public string Fingerprint => SpecFingerprint.Of(this);

    /// <summary>How often a device that failed or timed out is offered the change again; null for never.</summary>
    [Id(30)] public RetryPolicy? Retries { get; init; }

    /// <summary>What becomes of a device that did not end in its time.</summary>
    [Id(31)] public TimeoutPolicy InProgressPolicy { get; init; }

    /// <summary>What becomes of a device that could not be reached in its time.</summary>
    [Id(32)] public TimeoutPolicy UndeliveredPolicy { get; init; }

    /// <summary>When devices may be offered the change; none for always.</summary>
    [Id(33)] public ImmutableArray<OfferWindow> Windows { get; init; } = [];

    /// <summary>When a device that has the change may begin to install it; none for always (<see cref="InstallTimes"/>).</summary>
    [Id(120)] public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];

    /// <summary>
    /// The settings that devices are to have, each once and in the order of their names (<see cref="SettingRules"/>); null for an image.
    /// </summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>The strategy that everything but the change and its devices was taken from; null for a course of its own.</summary>
    [Id(85)] public RolloutStrategy? Strategy { get; init; }

    /// <summary>
    /// The rollout that has ended whose rest it retries (<see cref="RestRules"/>): only its members that did not succeed may be members.
    /// Null for every device that matches.
    /// </summary>
    [Id(90)] public ResourceId? RetryOf { get; init; }

    /// <summary>
    /// Devices that come to match after the freeze go to a trailing wave with the gate of the last listed; else they are left out and
    /// counted (<see cref="LateJoiners"/>).
    /// </summary>
    [Id(100)] public bool IncludeLateJoiners { get; init; }

    /// <summary>
    /// Which of several rollouts gets a device first that all of them wait for, 0 to <see cref="RolloutLimits.PriorityMax"/>: the higher
    /// one, and of equals the older.
    /// </summary>
    [Id(110)] public int Priority { get; init; }

    /// <summary>
    /// Older rollouts of an OS image leave the devices to this one that they have not told anything yet; only of an image.
    /// </summary>
    [Id(111)] public bool SupersedesOlder { get; init; }

    /// <summary>Takes devices over the steps that the image asks for, within the same rollout; only of an image.</summary>
    [Id(125)] public bool TakeSteps { get; init; }

    /// <summary>The images of those steps, as the catalogue had them when the rollout was ordered (<see cref="RolloutPath"/>).</summary>
    [Id(126)] public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>Beside <see cref="MaxUnavailable"/>: the same per value of fields, each field once; none for no such limits.</summary>
    [Id(105)] public ImmutableArray<ValueBudget> MaxUnavailablePer { get; init; } = [];

    /// <summary>What it changes.</summary>
    public ChangeKind Kind => Settings is null ? ChangeKind.OsImage : ChangeKind.Settings;

    /// <summary>The two timers, as devices and shares look at them.</summary>
    public ChangeTimers Timers => new(InProgressTimeout, UndeliveredTimeout)
    {
        InProgressPolicy = InProgressPolicy,
        UndeliveredPolicy = UndeliveredPolicy,
        InstallWindows = InstallWindows,
    };

    /// <summary>By value, waves included: a repeated request is recognised by it.</summary>
    public bool Equals(RolloutSpec? other) =>
        other is not null
        && (ImageDigest, TargetVersion, Filter, Seed) == (other.ImageDigest, other.TargetVersion, other.Filter, other.Seed)
        && Equals(Settings, other.Settings)
        && Strategy == other.Strategy
        && (RetryOf, IncludeLateJoiners) == (other.RetryOf, other.IncludeLateJoiners)
        && (Priority, SupersedesOlder) == (other.Priority, other.SupersedesOlder)
        && TakeSteps == other.TakeSteps
        && Path.AsSpan().SequenceEqual(other.Path.AsSpan())
        && MaxUnavailablePer.AsSpan().SequenceEqual(other.MaxUnavailablePer.AsSpan())
        && Waves.AsSpan().SequenceEqual(other.Waves.AsSpan())
        && FailureGate == other.FailureGate
        && (DevicesPerMinute, MaxUnavailable, AllowTrackChange) == (other.DevicesPerMinute, other.MaxUnavailable, other.AllowTrackChange)
        && RateGrowth == other.RateGrowth
        && (ApprovalsRequired, OverrideNeedsApprover) == (other.ApprovalsRequired, other.OverrideNeedsApprover)
        && Windows.AsSpan().SequenceEqual(other.Windows.AsSpan())
        && InstallWindows.AsSpan().SequenceEqual(other.InstallWindows.AsSpan())
        && (Retries, InProgressPolicy, UndeliveredPolicy) == (other.Retries, other.InProgressPolicy, other.UndeliveredPolicy)
        && (InProgressTimeout, UndeliveredTimeout) == (other.InProgressTimeout, other.UndeliveredTimeout);

    public override int GetHashCode() => HashCode.Combine(ImageDigest, Filter, Seed, Waves.Length);
}
