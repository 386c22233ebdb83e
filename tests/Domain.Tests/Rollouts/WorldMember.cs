using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What is true of a device.</summary>
internal enum MemberState
{
    Waiting,
    InProgress,
    Succeeded,
    Failed,
    TimedOut,
    Rejected,
    Skipped,
    Removed,
}

/// <summary>What a device answers: where it is in which attempt, and how that ended; and the generation of its newest offer.</summary>
internal readonly record struct WorldAnswer(MemberState State, int Retry, string Reason, DateTimeOffset? EndedAt, long Generation)
{
    /// <summary>Of one that waits: its last offer was a step, and it took it.</summary>
    public bool HasStepped { get; init; }

    /// <summary>The rollout took it over a step, whatever became of it since.</summary>
    public bool HasEverStepped { get; init; }

    /// <summary>When it began to install what it is offered.</summary>
    public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>When the attempt was offered first, of one that was offered again.</summary>
    public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>It tells of an offer that is over; of one that waits: it was not asked to take another one.</summary>
    public bool IsOver { get; init; }

    /// <summary>What keeps it from an offer, as it knows itself; null for nothing.</summary>
    public MemberReach? Reach { get; init; }

    /// <summary>Until when it is kept for another rollout.</summary>
    public DateTimeOffset? AskAgainAt { get; init; }
}

/// <summary>What a device tells the feed; no fact when it left service.</summary>
internal readonly record struct WorldEntry(int Member, DomainEvent? Fact, DateTimeOffset At);

/// <summary>A device, and what it tells the feed.</summary>
internal sealed class WorldMember(int index, int wave, List<WorldEntry> feed)
{
    private string _reason = "";
    private DateTimeOffset _firstOfferedAt;

    public int Wave => wave;

    public MemberState State { get; private set; }

    public bool Online { get; set; } = true;

    /// <summary>Its record cannot be read: it says nothing, and nothing becomes of it.</summary>
    public bool IsUnread { get; set; }

    /// <summary>A budget per value keeps it waiting.</summary>
    public bool IsGroupFull { get; set; }

    /// <summary>The attempt that it is in, or was in last.</summary>
    public int Retry { get; private set; }

    /// <summary>When that attempt ended.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>Of its newest offer; 0 before the first. One that orders nothing comes behind each.</summary>
    public long Generation { get; private set; }

    /// <summary>When it was offered something last.</summary>
    public DateTimeOffset OfferedAt { get; private set; }

    /// <summary>As it was told: when the attempt was offered first, of an offer behind one that went back.</summary>
    public DateTimeOffset? FirstOfferedAt { get; private set; }

    /// <summary>Its share does not wait for it any longer.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>How often it came to succeed.</summary>
    public int Successes { get; private set; }

    /// <summary>It left service behind a success, of which a coordinator may still know.</summary>
    public bool HadSucceeded { get; private set; }

    /// <summary>How often an offer to it was taken back.</summary>
    public int WentBack { get; private set; }

    /// <summary>How often it was offered something.</summary>
    public int Offers { get; private set; }

    /// <summary>It was offered the change at least once.</summary>
    public bool WasTouched { get; private set; }

    /// <summary>How many steps there are between what it runs and the rollout's image.</summary>
    public int StepsLeft { get; set; }

    /// <summary>The image of the step that it is offered, or would be, by how many are left; 0 for that of the rollout.</summary>
    public int StepOf(int retry) => WayBack.Is(retry) ? 0 : StepsLeft;

    /// <summary>It is left out because the image of its step was revoked.</summary>
    public bool IsStepRevoked => State == MemberState.Skipped && _reason == DeviceChanges.StepRevoked;

    /// <summary>Its last offer was a step, and it took it.</summary>
    public bool HasStepped { get; private set; }

    /// <summary>The rollout took it over a step.</summary>
    public bool HasEverStepped { get; private set; }

    /// <summary>It runs what the rollout brought.</summary>
    public bool RunsTarget { get; private set; }

    /// <summary>When it began to install what it is offered; null before.</summary>
    public DateTimeOffset? InstallsSince { get; private set; }

    /// <summary>It is asked to give its offer up.</summary>
    public bool IsRecalled { get; private set; }

    /// <summary>Another attempt may be made, as far as the device is concerned.</summary>
    public bool MayRetry => State is MemberState.Failed or MemberState.TimedOut or MemberState.Rejected
        && FinalReasons.MayRetry(OutcomeOf(State), _reason);

    /// <summary>Other rollouts that want it.</summary>
    public WorldTurns Turns { get; } = new();

    /// <summary>
    /// An offer of this attempt may be made, as <see cref="DeviceChanges"/> has it: behind a step, and behind an offer that no
    /// connection got. What was taken back otherwise is over.
    /// </summary>
    public bool GoesOn(int retry) =>
        IsNew(retry)
        || (State == MemberState.Waiting && retry >= Retry && (HasStepped || _reason == OfferHandover.Reason));

    /// <summary>It is in this attempt, and has not named it yet, as far as anybody knows.</summary>
    public bool MayBeTakenBack(int retry) => State == MemberState.InProgress && Retry == retry && InstallsSince is null;

    /// <summary>An attempt that it is not in and that did not end: it may be made now.</summary>
    private bool IsNew(int retry) => State switch
    {
        MemberState.InProgress or MemberState.Removed => false,
        _ when WayBack.Is(retry) != WayBack.Is(Retry) => retry > Retry,
        MemberState.Waiting => EndedAt is null,
        _ => MayRetry && retry > Retry,
    };

    public WorldAnswer Answer(int retry) => IsNew(retry)
        ? new WorldAnswer(MemberState.Waiting, retry, "", null, Generation) { HasEverStepped = HasEverStepped }
        : new WorldAnswer(State, Retry, _reason, EndedAt, Generation)
        {
            HasStepped = HasStepped,
            HasEverStepped = HasEverStepped,
            InstallsSince = InstallsSince,
            FirstOfferedAt = FirstOfferedAt,
            IsOver = State != MemberState.InProgress && EndedAt is not null,
        };

    /// <summary>
    /// False when it is waited for longer than behind the first offer of the attempt, or for as long as behind another one.
    /// </summary>
    public bool Offer(OpenOffer offer, int retry, DateTimeOffset now)
    {
        var isAgain = State == MemberState.Waiting && EndedAt is not null && Retry == retry && !HasStepped;
        _firstOfferedAt = isAgain ? _firstOfferedAt : now;
        FirstOfferedAt = offer.FirstOfferedAt;
        (State, Retry, EndedAt, _reason) = (MemberState.InProgress, retry, null, "");
        (IsRecalled, HasStepped, InstallsSince) = (false, false, null);
        WasTouched = true;
        Offers++;
        (Generation, OfferedAt) = (Generation == 0 ? 1 : Generation + 2, now);
        var fact = new ChangeOffered(Id, offer.Epoch, Generation, "") { Retry = retry, FirstOfferedAt = FirstOfferedAt };
        feed.Add(new WorldEntry(index, fact, now));
        return isAgain ? FirstOfferedAt <= _firstOfferedAt : FirstOfferedAt is null;
    }

    /// <summary>It reports that it installs, in a window or not; again it says nothing of the kind.</summary>
    public void Install(bool isOpen, DateTimeOffset now)
    {
        var start = InstallsSince is not null ? InstallStart.None : isOpen ? InstallStart.InWindow : InstallStart.OutsideWindow;
        InstallsSince ??= now;
        var fact = new ChangeProgressed(Id, Generation, ChangeStep.Installing) { Retry = Retry, Install = start };
        feed.Add(new WorldEntry(index, fact, now));
    }

    /// <summary>It says so only to who asks.</summary>
    public void Skip(string reason) => (State, EndedAt, _reason) = (MemberState.Skipped, null, reason);

    /// <summary>It runs what another rollout brought.</summary>
    public void LeaveTarget() => RunsTarget = false;

    /// <summary>Its rollout is cancelled, and it may have its offer. True when it was not asked about this attempt before.</summary>
    public bool Recall(int retry, DateTimeOffset now)
    {
        if (State != MemberState.InProgress || IsRecalled || Retry != retry)
        {
            return false;
        }

        IsRecalled = true;
        feed.Add(new WorldEntry(index, new ChangeRecalled(Id, Generation, Generation + 1) { Retry = Retry }, now));
        return true;
    }

    /// <summary>It names the newer generation.</summary>
    public void GiveUp(DateTimeOffset now) => End(MemberState.Waiting, now, OfferHandover.CancelledReason);

    /// <summary>It left service, with whatever outcome.</summary>
    public void Leave(DateTimeOffset now)
    {
        HadSucceeded = State == MemberState.Succeeded;
        (State, EndedAt) = (MemberState.Removed, null); // nothing was made
        feed.Add(new WorldEntry(index, null, now));
    }

    public void End(MemberState state, DateTimeOffset now, string reason = "")
    {
        if (state == MemberState.Succeeded && StepsLeft > 0 && !WayBack.Is(Retry))
        {
            TakeStep(now);
        }
        else if (state != State)
        {
            (State, EndedAt, _reason) = (state, now, reason);
            Successes += state == MemberState.Succeeded ? 1 : 0;
            WentBack += state == MemberState.Waiting || reason is DeviceChanges.Superseded or DeviceChanges.StepRevoked ? 1 : 0;
            RunsTarget = state switch
            {
                MemberState.Succeeded => !WayBack.Is(Retry),
                MemberState.Failed => WayBack.Is(Retry), // by its own word, or because it runs the other one after all
                MemberState.TimedOut => index % 2 == 0 || RunsTarget, // some get there after their time
                MemberState.Skipped when IsStepRevoked => index % 2 == 0 || RunsTarget, // they had it all the same
                _ => RunsTarget,
            };
            feed.Add(new WorldEntry(index, new ChangeClosed(Id, Generation, OutcomeOf(state), reason) { Retry = Retry }, now));
        }
    }

    /// <summary>It runs the image of a step, and waits for the next offer of the same attempt.</summary>
    private void TakeStep(DateTimeOffset now)
    {
        (State, EndedAt, _reason, StepsLeft) = (MemberState.Waiting, now, "", StepsLeft - 1);
        (HasStepped, HasEverStepped, RunsTarget) = (true, true, true);
        feed.Add(new WorldEntry(index, new ChangeClosed(Id, Generation, ChangeOutcome.StepTaken, "") { Retry = Retry }, now));
    }

    public static ChangeOutcome OutcomeOf(MemberState state) => state switch
    {
        MemberState.Waiting => ChangeOutcome.Withdrawn,
        MemberState.Succeeded => ChangeOutcome.Succeeded,
        MemberState.Failed => ChangeOutcome.Failed,
        MemberState.TimedOut => ChangeOutcome.TimedOut,
        MemberState.Rejected => ChangeOutcome.Rejected,
        MemberState.Skipped => ChangeOutcome.Skipped,
        MemberState.Removed => ChangeOutcome.Removed,
        MemberState.InProgress => throw new InvalidOperationException("In progress is no outcome."),
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };
}
