using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class RolloutLifecycleTests
{
    private static readonly RolloutSpec OneWave = Spec(Wave(Amount.Percent(100)));

    public enum Verb
    {
        Start,
        Pause,
        Resume,
        Cancel,
    }

    [Theory]
    [InlineData(RolloutState.Draft, "Running - - Cancelled")]
    [InlineData(RolloutState.AwaitingApproval, "- - - Cancelled")]
    [InlineData(RolloutState.Running, "same Paused same Cancelling")]
    [InlineData(RolloutState.Paused, "- same Running Cancelling")]
    [InlineData(RolloutState.Suspended, "- - - Cancelling")]
    [InlineData(RolloutState.Cancelling, "- - - same")]
    [InlineData(RolloutState.Succeeded, "- - - -")]
    [InlineData(RolloutState.Cancelled, "- - - same")]
    [InlineData(RolloutState.Aborted, "- - - -")]
    [InlineData(RolloutState.RollingBack, "- Paused same Cancelling")]
    [InlineData(RolloutState.RolledBack, "- - - -")]
    public void Command_InEveryState_MovesRepeatsOrRefuses(RolloutState state, string expected)
    {
        var plan = state is RolloutState.Draft or RolloutState.AwaitingApproval
            ? RolloutPlan.Draft with { State = state }
            : Started(OneWave, 3) with { State = state };

        var outcomes = Enum.GetValues<Verb>().Select(verb => Run(plan, verb)).Select(decision =>
            decision.Error is not null ? "-" : decision.Events.IsEmpty ? "same" : decision.Next.State.ToString());

        Assert.Equal(expected, string.Join(' ', outcomes));
    }

    [Fact]
    public void Command_ThatTouchesOffers_RaisesTheEpoch()
    {
        var running = Started(OneWave, 3);
        var paused = RolloutLifecycle.Pause(running, Order()).Next;
        var resumed = RolloutLifecycle.Resume(paused, OneWave, accept: false, Order()).Next;
        var cancelled = RolloutLifecycle.Cancel(resumed, Order()).Next;

        Assert.Equal([1, 2, 3, 4], new[] { running, paused, resumed, cancelled }.Select(plan => plan.Epoch));
    }

    [Fact]
    public void TakeOver_OfALiveRollout_RaisesTheEpochAndNothingElse()
    {
        var running = Started(OneWave, 3);

        Assert.Equal(running with { Epoch = 2 }, RolloutLifecycle.TakeOver(running, Id).Next);
        Assert.Empty(RolloutLifecycle.TakeOver(RolloutPlan.Draft, Id).Events);
    }

    [Theory]
    [InlineData(RolloutState.Draft, RolloutState.Draft)]
    [InlineData(RolloutState.AwaitingApproval, RolloutState.AwaitingApproval)]
    [InlineData(RolloutState.Running, RolloutState.Suspended)]
    [InlineData(RolloutState.Paused, RolloutState.Suspended)]
    [InlineData(RolloutState.Suspended, RolloutState.Suspended)]
    [InlineData(RolloutState.Cancelling, RolloutState.Cancelling)]
    [InlineData(RolloutState.Succeeded, RolloutState.Succeeded)]
    [InlineData(RolloutState.Cancelled, RolloutState.Cancelled)]
    [InlineData(RolloutState.Aborted, RolloutState.Aborted)]
    public void HaltForRevocation_InEveryState_StopsWhatIsLiveOnce(RolloutState state, RolloutState next)
    {
        var plan = state is RolloutState.Draft or RolloutState.AwaitingApproval
            ? RolloutPlan.Draft with { State = state }
            : Started(OneWave, 3) with { State = state };
        var refusal = FleetError.Of(ErrorKind.Precondition, "IMAGE_REVOKED", "The image was revoked.");

        var halted = RolloutLifecycle.HaltForRevocation(plan, "digest", refusal, Order());

        Assert.Equal((next, plan.IsLive), (halted.Next.State, halted.Next.IsImageRevoked));
        Assert.Equal(plan.IsLive ? plan.Epoch + 1 : plan.Epoch, halted.Next.Epoch);
        Assert.Empty(RolloutLifecycle.HaltForRevocation(halted.Next, "digest", refusal, Order()).Events);
    }

    [Theory]
    [InlineData(RolloutState.Draft, false)]
    [InlineData(RolloutState.Running, true)]
    [InlineData(RolloutState.Paused, true)]
    [InlineData(RolloutState.Suspended, true)]
    [InlineData(RolloutState.Cancelling, true)]
    [InlineData(RolloutState.Cancelled, false)]
    public void GiveUpSteps_InEveryState_TellsOfEachOnceAndStopsNothing(RolloutState state, bool isTold)
    {
        var plan = state == RolloutState.Draft ? RolloutPlan.Draft : Started(OneWave, 3) with { State = state };
        StepImage[] steps = [Step("a", "11.1"), Step("b", "11.2")];

        var first = RolloutLifecycle.GiveUpSteps(plan, steps[..1], Order());
        var second = RolloutLifecycle.GiveUpSteps(first.Next, steps, Order());

        Assert.Equal((state, plan.Epoch), (second.Next.State, second.Next.Epoch));
        Assert.Equal(isTold ? "a b" : "", string.Join(' ', second.Next.RevokedSteps));
        Assert.Equal(isTold ? 2 : 0, second.Next.Decisions.Count(decision => decision.Reason == PlanReasons.StepRevoked));
        Assert.Empty(RolloutLifecycle.GiveUpSteps(second.Next, steps, Order()).Events);
    }

    [Fact]
    public void Start_WhenNothingMatches_IsRefused()
    {
        var decision = RolloutLifecycle.Start(RolloutPlan.Draft, OneWave, new FrozenMembers([], []), Order());

        Assert.Equal(RolloutErrors.NoDevicesReason, decision.Error?.Reason);
        Assert.Equal(RolloutState.Draft, decision.Next.State);
    }

    [Fact]
    public void Start_WithAWaveEmptyAtTheFreeze_PassesItAtOnceAndSaysSo()
    {
        var plan = Started(Spec(Wave(Amount.Percent(1)), Wave(Amount.Percent(100))), 0, 3);

        Assert.Equal([WaveState.Passed, WaveState.Running], plan.Waves.Select(wave => wave.State));
        Assert.Contains(plan.Decisions, decision => decision is { Reason: PlanReasons.WaveEmpty, Wave: 0 });
    }

    [Fact]
    public void Resume_AfterAGateWithoutOverride_IsRefused()
    {
        var suspended = Started(OneWave, 3) with { State = RolloutState.Suspended };

        Assert.Equal(
            RolloutErrors.OverrideRequiredReason, RolloutLifecycle.Resume(suspended, OneWave, accept: false, Order()).Error?.Reason);
        Assert.Equal(
            RolloutErrors.ReasonRequiredReason, RolloutLifecycle.Resume(suspended, OneWave, accept: true, Order()).Error?.Reason);
    }

    private static StepImage Step(string digest, string version) => new(digest, version, "active", [], ImageConditions.None);

    private static Decision<RolloutPlan> Run(RolloutPlan plan, Verb verb) => verb switch
    {
        Verb.Start => RolloutLifecycle.Start(plan, OneWave, new FrozenMembers([new WaveCut(0, "", false, 1, 0, 0)], [0]), Order()),
        Verb.Pause => RolloutLifecycle.Pause(plan, Order()),
        Verb.Resume => RolloutLifecycle.Resume(plan, OneWave, accept: false, Order()),
        Verb.Cancel => RolloutLifecycle.Cancel(plan, Order()),
        _ => throw new ArgumentOutOfRangeException(nameof(verb)),
    };
}
