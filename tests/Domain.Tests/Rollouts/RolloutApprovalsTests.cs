using CsCheck;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Drafts that are edited and approved.</summary>
public sealed class RolloutApprovalsTests
{
    private static readonly Actor Carl = Actor.Operator("carl");

    private static readonly RolloutSpec OneWave = Spec(Wave(Amount.Percent(100)));

    private static readonly RolloutSpec Another = OneWave with { Filter = "site = Lund" };

    [Theory]
    [InlineData(0, 0, RolloutState.Draft)]
    [InlineData(1, 0, RolloutState.AwaitingApproval)]
    [InlineData(0, 1, RolloutState.AwaitingApproval)]
    public void Settle_OfANewDraft_AsksForWhatSpecOrInstallationWant(int required, int floor, RolloutState state)
    {
        var draft = DraftOf(OneWave with { ApprovalsRequired = required }, floor);

        Assert.Equal(state, draft.Plan.State);
        Assert.Equal(state == RolloutState.Draft, RolloutApprovals.CheckStart(draft, floor) is null);
    }

    [Fact]
    public void Approve_ByTwoOfTwo_LetsItStart()
    {
        var draft = DraftOf(OneWave with { ApprovalsRequired = 2 });

        var once = Approve(draft, Bert);
        var refusal = RolloutApprovals.CheckStart(once.Next, 0);
        var twice = Approve(once.Next, Carl);

        Assert.Equal((RolloutState.AwaitingApproval, RolloutState.Draft), (once.Next.Plan.State, twice.Next.Plan.State));
        Assert.Equal(RolloutErrors.NotApprovedReason, refusal?.Reason);
        Assert.Equal(("1", "2"), (ValueOf(refusal, "approvals"), ValueOf(refusal, "needed")));
        Assert.Null(RolloutApprovals.CheckStart(twice.Next, 0));
        Assert.Equal(RolloutErrors.NotApprovedReason, RolloutApprovals.CheckStart(twice.Next, 3)?.Reason);
        Assert.Equal([Bert, Carl], twice.Next.Plan.Decisions.Select(decision => decision.Actor));
        Assert.Equal(new RolloutApproved(Id, draft.Spec.Fingerprint, 2, 2), Assert.Single(twice.Events));
    }

    [Fact]
    public void Approve_ByTheSameAgain_ChangesNothing()
    {
        var once = Approve(DraftOf(OneWave with { ApprovalsRequired = 2 }), Bert).Next;
        var running = once with { Plan = Started(OneWave, 3) };

        Assert.Empty(Approve(once, Bert).Events);
        Assert.Null(Approve(running, Bert).Error);
        Assert.Equal(RolloutErrors.WrongStateReason, Approve(running, Carl).Error?.Reason);
    }

    [Fact]
    public void Approve_ByAnAuthorOrWithoutTheRole_IsRefused()
    {
        var edited = RolloutApprovals.Edit(DraftOf(OneWave), 1, new EditOrder(Carl, Another, "", Start)).Next;
        var order = Approval(edited.Spec.Fingerprint) with { Roles = [OperatorRole.Operator, OperatorRole.Administrator] };

        Assert.Equal("APPROVER_IS_REQUESTER", Approve(edited, Anna).Error?.Reason);
        Assert.Equal("APPROVER_IS_REQUESTER", Approve(edited, Carl).Error?.Reason);
        Assert.Equal("APPROVER_ROLE_MISSING", RolloutApprovals.Approve(edited, 1, order).Error?.Reason);
        Assert.Null(Approve(edited, Bert).Error);
    }

    [Fact]
    public void Edit_AfterAnApproval_VoidsItAlsoWhenItIsTakenBack()
    {
        var draft = DraftOf(OneWave, floor: 1);
        var approved = Approve(draft, Bert, floor: 1).Next;

        var edited = RolloutApprovals.Edit(approved, 1, new EditOrder(Anna, Another, approved.Spec.Fingerprint, Start));
        var back = RolloutApprovals.Edit(edited.Next, 1, new EditOrder(Anna, OneWave, "", Start)).Next;

        Assert.Equal(RolloutState.Draft, approved.Plan.State);
        Assert.Equal(RolloutState.AwaitingApproval, edited.Next.Plan.State);
        var stale = RolloutApprovals.Approve(edited.Next, 1, Approval(draft.Spec.Fingerprint));
        Assert.Equal(RolloutErrors.SpecChangedReason, stale.Error?.Reason);
        Assert.Equal((RolloutState.AwaitingApproval, 0), (back.Plan.State, back.ValidApprovals.Length));
        Assert.Empty(RolloutApprovals.Edit(approved, 1, new EditOrder(Anna, OneWave, "", Start)).Events);
    }

    [Fact]
    public void Edit_OfWhatWasEditedMeanwhileOrHasStarted_IsRefused()
    {
        var draft = DraftOf(OneWave);
        var order = new EditOrder(Anna, Another, new string('0', 64), Start);

        Assert.Equal(RolloutErrors.SpecChangedReason, RolloutApprovals.Edit(draft, 0, order).Error?.Reason);
        Assert.Equal(
            RolloutErrors.WrongStateReason,
            RolloutApprovals.Edit(draft with { Plan = Started(OneWave, 3) }, 0, order with { Etag = "" }).Error?.Reason);
    }

    [Fact]
    public void Edit_ByMoreThanAnybodyOverlooks_IsRefused()
    {
        var draft = DraftOf(OneWave);
        for (var i = 0; i < RolloutLimits.EditorsMax; i++)
        {
            draft = RolloutApprovals.Edit(draft, 0, new EditOrder(Actor.Operator($"o{i}"), OneWave with { Seed = i + 1 }, "", Start)).Next;
        }

        var refused = RolloutApprovals.Edit(draft, 0, new EditOrder(Carl, Another, "", Start));

        Assert.Equal("LIMIT_REACHED", refused.Error?.Reason);
        Assert.Null(RolloutApprovals.Edit(draft, 0, new EditOrder(Actor.Operator("o3"), Another, "", Start)).Error);
    }

    [Fact]
    public void Resume_AgainstAGateWhereAnApproverIsAskedFor_IsNotTheAuthors()
    {
        var plan = Started(OneWave, 3);
        var suspended = RolloutOf(OneWave with { OverrideNeedsApprover = true }, plan with { State = RolloutState.Suspended });
        var paused = suspended with { Plan = plan with { State = RolloutState.Paused } };
        Decision<RolloutPlan> Resume(Rollout rollout, Actor actor, bool accept, params OperatorRole[] roles) =>
            RolloutApprovals.Resume(rollout, accept, [.. roles], new RolloutOrder(Id, actor, "seen", Start));

        Assert.Equal("APPROVER_ROLE_MISSING", Resume(suspended, Bert, true, OperatorRole.Operator).Error?.Reason);
        Assert.Equal("APPROVER_ROLE_MISSING", RolloutApprovals.Resume(suspended, true, default, Order()).Error?.Reason);
        Assert.Equal("APPROVER_IS_REQUESTER", Resume(suspended, Anna, true, OperatorRole.Approver).Error?.Reason);
        Assert.Equal(RolloutErrors.OverrideRequiredReason, Resume(suspended, Bert, false, OperatorRole.Approver).Error?.Reason);
        Assert.Equal(RolloutState.Running, Resume(suspended, Bert, true, OperatorRole.Operator, OperatorRole.Approver).Next.State);
        Assert.Equal(RolloutState.Running, Resume(paused, Anna, true, OperatorRole.Operator).Next.State);
    }

    [Fact]
    public void CheckStep_OfAStartWithoutApprovals_IsWrong()
    {
        var waiting = DraftOf(OneWave, floor: 1).Plan;

        Assert.NotEmpty(PlanChecks.CheckStep(OneWave, waiting, Started(OneWave, 3)));
        Assert.NotEmpty(PlanChecks.CheckStep(OneWave, Started(OneWave, 3), waiting with { Epoch = 1 }));
    }

    [Fact]
    public void CheckApprovals_OfTooFewOrOfAnAuthors_IsWrong()
    {
        var approved = Approve(DraftOf(OneWave with { ApprovalsRequired = 1 }), Bert).Next;
        var running = approved with { Plan = Started(approved.Spec, 3) };
        var own = new RolloutApproval(Anna, Start, approved.Spec.Fingerprint);
        var wave = running.Plan.Waves[0] with { Approval = new WaveApproval(Anna, Start, "") };

        Assert.Empty(PlanChecks.CheckApprovals(running));
        Assert.NotEmpty(PlanChecks.CheckApprovals(running with { Spec = Another with { ApprovalsRequired = 1 } }));
        Assert.NotEmpty(PlanChecks.CheckApprovals(running with { Spec = running.Spec with { ApprovalsRequired = 2 } }));
        Assert.NotEmpty(PlanChecks.CheckApprovals(approved with { Approvals = [.. approved.Approvals, own] }));
        Assert.NotEmpty(PlanChecks.CheckApprovals(running with { Plan = running.Plan with { Waves = [wave] } }));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(9)]
    public void Validate_OfMoreApprovalsThanAnybodyGives_SaysSo(int required) => Assert.Equal(
        "approvals_required", Assert.Single(RolloutSpecRules.Validate(OneWave with { ApprovalsRequired = required })).Field);

    /// <summary>Whoever edits, approves or asks for more in whatever order: what may start was read, as it is, by enough others.</summary>
    [Fact]
    public void CheckStart_InAnyHistory_PassesOnlyWhatEnoughOthersHaveApproved()
    {
        var steps = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int[0, 3]).Array[1, 40];

        Gen.Select(steps, Gen.Int[0, 3]).Sample((history, floor) =>
        {
            var rollout = DraftOf(OneWave, floor);
            var authors = new HashSet<string> { Anna.Name };
            var read = new HashSet<(string Who, string What)>();
            foreach (var (kind, who, what) in history)
            {
                var actor = who == 0 ? Anna : Actor.Operator($"o{who}");
                var spec = OneWave with { Seed = what, ApprovalsRequired = what };
                var etag = kind == 1 ? spec.Fingerprint : rollout.Spec.Fingerprint;
                var decision = kind == 0
                    ? RolloutApprovals.Edit(rollout, floor, new EditOrder(actor, spec, "", Start))
                    : RolloutApprovals.Approve(rollout, floor, Approval(etag, actor));
                if (!decision.Events.IsEmpty && kind == 0)
                {
                    authors.Add(actor.Name);
                    read.Clear();
                }
                else if (decision.Error is null && kind != 0)
                {
                    read.Add((actor.Name, etag));
                }

                rollout = decision.Next;
                var counted = read.Count(one => one.What == rollout.Spec.Fingerprint && !authors.Contains(one.Who));
                var mayStart = counted >= Math.Max(rollout.Spec.ApprovalsRequired, floor);
                Assert.Equal(mayStart, RolloutApprovals.CheckStart(rollout, floor) is null);
                Assert.Equal(mayStart, rollout.Plan.State == RolloutState.Draft);
            }
        }, iter: 2_000);
    }

    private static Rollout DraftOf(RolloutSpec spec, int floor = 0) =>
        RolloutApprovals.Settle(RolloutOf(spec, RolloutPlan.Draft), floor);

    private static Decision<Rollout> Approve(Rollout rollout, Actor approver, int floor = 0) =>
        RolloutApprovals.Approve(rollout, floor, Approval(rollout.Spec.Fingerprint, approver));

    private static string? ValueOf(FleetError? error, string key) => error?.Metadata.Single(detail => detail.Key == key).Value;
}
