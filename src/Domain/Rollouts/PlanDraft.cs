namespace Muster.Domain.Rollouts;

/// <summary>A plan under way with its facts: every move is told twice, as a fact and in the log of decisions.</summary>
internal sealed class PlanDraft(ResourceId rollout, RolloutPlan plan, DateTimeOffset now, Actor actor)
{
    private readonly ImmutableArray<DomainEvent>.Builder _facts = ImmutableArray.CreateBuilder<DomainEvent>();

    public ResourceId Rollout => rollout;

    public DateTimeOffset Now => now;

    public RolloutPlan Plan { get; private set; } = plan;

    public ImmutableArray<DomainEvent> Facts => _facts.ToImmutable();

    public static Actor RuleOf(ResourceId rollout) => Actor.Rule($"rollouts.{rollout}");

    public void Set(RolloutPlan next) => Plan = next;

    public void SetWave(int wave, WavePlan next) => Plan = Plan with { Waves = Plan.Waves.SetItem(wave, next) };

    public void Tell(DomainEvent fact) => _facts.Add(fact);

    public void Tell(DomainEvent fact, string reason, int? wave, string text)
    {
        _facts.Add(fact);
        Plan = DecisionLog.With(Plan, new(now, actor, reason, wave, text));
    }

    /// <summary>Stops the rollout. The epoch grows: permits on their way to a partition become void.</summary>
    public void Suspend(int wave, string reason, string text)
    {
        Stop(wave);
        Set(Plan with { State = RolloutState.Suspended, Epoch = Plan.Epoch + 1 });
        Tell(new RolloutSuspended(rollout, wave, reason, Plan.Waves[wave].Totals), reason, wave, text);
    }

    /// <summary>Ends the rollout for good. The epoch grows as for a suspension; devices in progress still end.</summary>
    public void Abort(int wave, string text)
    {
        Stop(wave);
        Set(Plan with { State = RolloutState.Cancelling, IsAborting = true, Epoch = Plan.Epoch + 1 });
        Tell(new RolloutAborting(rollout, wave, Plan.Epoch, Plan.Waves[wave].Totals), PlanReasons.FailureGate, wave, text);
    }

    /// <summary>The gate is open: an approver decides how it goes on.</summary>
    public void AwaitApproval(int wave, string text)
    {
        SetWave(wave, Plan.Waves[wave] with { State = WaveState.AwaitingApproval, SoakEndsAt = null, AwaitingSince = now });
        Tell(new WaveAwaitingApproval(rollout, wave, Plan.Waves[wave].Totals), PlanReasons.AwaitingApproval, wave, text);
    }

    /// <summary>
    /// Opens the wave; one that was empty at the freeze passes at once and says so. That of late joiners opens when joining has ended in
    /// all partitions: then its members are as fixed as those of any other.
    /// </summary>
    public void OpenWave(int wave)
    {
        if (Plan.JoinersWave == wave && Plan.JoiningEndedAt is null)
        {
            Set(Plan with { JoiningEndedAt = now });
            Tell(new RolloutJoiningEnded(rollout, wave), PlanReasons.JoiningEnded, wave,
                $"The waves before wave {wave} have passed: who matches now and is no member is the last to join it.");
            return;
        }

        var opened = Plan.Waves[wave] with { State = WaveState.Running, StartedAt = now };
        SetWave(wave, opened);
        if (opened.Cut.Members > 0)
        {
            Tell(new WaveStarted(rollout, wave, opened.Cut.Members), PlanReasons.WaveStarted, wave,
                $"Wave {wave} of {Plan.Waves.Length} starts with {opened.Cut.Members} devices"
                + (opened.Cut.TakesJoiners ? " that joined after the freeze." : "."));
            return;
        }

        PassWave(wave, PlanReasons.WaveEmpty, opened.Cut.TakesJoiners
            ? $"Wave {wave} is for devices that join after the freeze, nobody did, and it passes at once."
            : $"Wave {wave} had no device at the freeze and passes at once.");
    }

    /// <summary>Passes the wave and opens the next one.</summary>
    public void PassWave(int wave, string reason, string text)
    {
        SetWave(wave, Plan.Waves[wave] with { State = WaveState.Passed, SoakEndsAt = null, PassedAt = now });
        Tell(new WavePassed(rollout, wave, reason, Plan.Waves[wave].Totals), reason, wave, text);
        if (wave + 1 < Plan.Waves.Length)
        {
            OpenWave(wave + 1);
        }
    }

    // What an approver of a wave that had not passed yet has seen is not what is there now.
    private void Stop(int wave)
    {
        var stopped = Plan.Waves[wave] with { State = WaveState.Suspended, SoakEndsAt = null };
        SetWave(wave, stopped.PassedAt is null ? stopped with { AwaitingSince = null, Approval = null } : stopped);
    }
}
