using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutApprovalsServiceTests
{
    private const string Name = "tenants/default/rollouts/spring";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ApproveWave_ByAnApprover_HandsOnWhatHeHasSeen()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        ApproveWave? approved = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.ApproveWaveAsync), (_, args) =>
        {
            approved = (ApproveWave)args[0]!;
            return new RolloutReply(Waiting(), [], 0, null);
        });
        var request = new V1.ApproveWaveRequest { Name = Name, Wave = 0, Etag = "3-8de-0" };

        var shown = await Approver(edge).ApproveWaveAsync(request, cancellationToken: Stop);

        Assert.Equal((Actor.Operator("bert"), 0, "3-8de-0"), (approved!.Actor, approved.Wave, approved.Etag));
        Assert.Equal([OperatorRole.Approver], approved.Roles);
        var wave = Assert.Single(shown.WaveStatus);
        Assert.Equal(V1.WaveState.AwaitingApproval, wave.State);
        Assert.Equal(Waiting().Plan.ApprovalEtag(0), wave.ApprovalEtag);
        Assert.Equal(Samples.At, wave.AwaitingSince.ToDateTimeOffset());
        Assert.True(Assert.Single(shown.Waves).NeedsApproval);
    }

    [Fact]
    public async Task ApproveRollout_ByAnApprover_HandsOnTheEtagAndShowsWhatIsMissing()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        ApproveRollout? approved = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.ApproveAsync), (_, args) =>
        {
            approved = (ApproveRollout)args[0]!;
            var draft = RolloutOf(RolloutPlan.Draft with { State = RolloutState.AwaitingApproval });
            var approval = new RolloutApproval(approved.Actor, Samples.At, draft.Spec.Fingerprint);
            var stale = new RolloutApproval(Actor.Operator("carl"), Samples.At, "of another spec");
            return new RolloutReply(
                draft with { Approvals = [stale, approval], Editors = [Actor.Operator("emil")] }, [], 0, null) { ApprovalsNeeded = 2 };
        });

        var shown = await Approver(edge).ApproveRolloutAsync(
            new V1.ApproveRolloutRequest { Name = Name, Etag = "seen" }, cancellationToken: Stop);

        Assert.Equal((Actor.Operator("bert"), "seen"), (approved!.Actor, approved.Etag));
        Assert.Equal((V1.RolloutState.AwaitingApproval, 2, "approvals: 1 of 2"), (shown.State, shown.ApprovalsNeeded, shown.WaitingOn));
        Assert.Equal("operator/bert", Assert.Single(shown.Approvals).Approver);
        Assert.Equal(("operator/anna", "operator/emil"), (shown.CreatedBy, Assert.Single(shown.EditedBy)));
        Assert.Equal(RolloutOf(RolloutPlan.Draft).Spec.Fingerprint, shown.Etag);
    }

    [Fact]
    public async Task UpdateRollout_OfADraft_HandsOnTheWholeSpec()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        UpdateRollout? update = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.UpdateAsync), (_, args) =>
        {
            update = (UpdateRollout)args[0]!;
            return new RolloutReply(RolloutOf(RolloutPlan.Draft) with { Spec = update.Spec }, [], 0, null);
        });
        var rollout = new V1.Rollout
        {
            Name = Name,
            Image = "tenants/default/images/" + new string('a', 64),
            Waves = { new V1.WaveSpec { Percent = 100, NeedsApproval = true } },
            ApprovalsRequired = 2,
            Priority = 7,
            SupersedesOlder = true,
            Etag = "seen",
        };

        var shown = await Operator(edge).UpdateRolloutAsync(new V1.UpdateRolloutRequest { Rollout = rollout }, cancellationToken: Stop);

        Assert.Equal((Actor.Operator("anna"), "seen", 2), (update!.Actor, update.Etag, update.Spec.ApprovalsRequired));
        Assert.True(Assert.Single(update.Spec.Waves).NeedsApproval);
        Assert.Equal((2, update.Spec.Fingerprint), (shown.ApprovalsRequired, shown.Etag));
        Assert.Equal((7, true), (update.Spec.Priority, update.Spec.SupersedesOlder));
        Assert.Equal((7, true), (shown.Priority, shown.SupersedesOlder));
    }

    [Theory]
    [InlineData(V1.FailureAction.Unspecified, FailureAction.Suspend)]
    [InlineData(V1.FailureAction.Suspend, FailureAction.Suspend)]
    [InlineData(V1.FailureAction.Abort, FailureAction.Abort)]
    [InlineData(V1.FailureAction.RollBack, FailureAction.RollBack)]
    public async Task CreateRollout_WithAFailureAction_HandsItOnAndShowsIt(V1.FailureAction asked, FailureAction action)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, args) =>
            new RolloutReply(RolloutOf(RolloutPlan.Draft) with { Spec = ((CreateRollout)args[0]!).Spec }, [], 0, null));

        var shown = await Operator(edge).CreateRolloutAsync(Creation(asked), cancellationToken: Stop);

        Assert.Equal(action.ToString(), shown.FailureGate.Action.ToString());
    }

    [Fact]
    public async Task CreateRollout_WithAFailureActionThatNobodyKnows_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Operator(edge).CreateRolloutAsync(Creation((V1.FailureAction)4), cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal("rollout.failure_gate.action", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task ResumeRollout_WithAnOverride_TellsWhatTheCallerMayDo()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        ResumeRollout? resumed = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.ResumeAsync), (_, args) =>
        {
            resumed = (ResumeRollout)args[0]!;
            return new RolloutReply(RolloutOf(RolloutPlan.Draft) with
            {
                Spec = RolloutOf(RolloutPlan.Draft).Spec with { OverrideNeedsApprover = true },
            }, [], 0, null);
        });
        var client = new V1.Rollouts.RolloutsClient(edge.Connect("bert", OperatorRole.Operator, OperatorRole.Approver));

        var shown = await client.ResumeRolloutAsync(
            new V1.ResumeRolloutRequest { Name = Name, Override = true, Reason = "seen" }, cancellationToken: Stop);

        Assert.Equal([OperatorRole.Operator, OperatorRole.Approver], resumed!.Roles.Order());
        Assert.True(shown.OverrideNeedsApprover);
    }

    [Fact]
    public async Task ExplainWave_OfARunningRollout_TellsThePlannersReportWithTheNumbers()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.GetAsync), (_, _) =>
            new RolloutReply(Waiting(), [new WaveReport([WaitingOn.Approval])], 0, null));
        var client = new V1.Rollouts.RolloutsClient(edge.Connect("vera", OperatorRole.Viewer));

        var shown = await client.ExplainWaveAsync(new V1.ExplainWaveRequest { Name = Name, Wave = 0 }, cancellationToken: Stop);
        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await client.ExplainWaveAsync(new V1.ExplainWaveRequest { Name = Name, Wave = 1 }, cancellationToken: Stop));

        Assert.Equal((Name, V1.RolloutState.Running, V1.WaveState.AwaitingApproval), (shown.Name, shown.RolloutState, shown.Wave.State));
        Assert.Equal("APPROVAL", Assert.Single(shown.Waits).On);
        Assert.Equal(("OPEN", 5L, 5L, 1L), (
            shown.SuccessGate.Verdict, shown.SuccessGate.Succeeded, shown.SuccessGate.Counted, shown.SuccessGate.Least));
        Assert.False(shown.FailureGate.Fires);
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), (code, reason));
    }

    [Fact]
    public async Task ExplainWave_OfADraft_TellsWhatTheStartWaitsFor()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.GetAsync), (_, _) =>
            new RolloutReply(RolloutOf(RolloutPlan.Draft with { State = RolloutState.AwaitingApproval }), [], 0, null)
            {
                ApprovalsNeeded = 2,
            });

        var shown = await Operator(edge).ExplainWaveAsync(new V1.ExplainWaveRequest { Name = Name }, cancellationToken: Stop);

        Assert.Equal(("APPROVAL", 2L), (Assert.Single(shown.Waits).On, shown.Waits[0].Count));
        Assert.Null(shown.SuccessGate);
    }

    [Fact]
    public async Task UpdateRollout_OfNothing_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Operator(edge).UpdateRolloutAsync(new V1.UpdateRolloutRequest(), cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task StartRollout_WithoutItsApprovals_SaysHowManyAreMissing()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.StartAsync), (_, _) => RolloutReply.Refused(RolloutErrors.NotApproved("spring", 1, 2)));

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Operator(edge).StartRolloutAsync(new V1.StartRolloutRequest { Name = Name }, cancellationToken: Stop));

        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_NOT_APPROVED"), (code, reason));
        Assert.Contains("1 of the 2 approvals", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ApproveWave_ByAnOperator_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Rollouts.RolloutsClient(edge.Connect("anna", OperatorRole.Operator, OperatorRole.Administrator));

        var (code, _, _) = await Samples.RefusedAsync(
            async () => await client.ApproveWaveAsync(new V1.ApproveWaveRequest { Name = Name }, cancellationToken: Stop));

        Assert.Equal(StatusCode.PermissionDenied, code);
    }

    [Fact]
    public async Task ApproveWave_OfAnotherResult_IsAFailedPrecondition()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.ApproveWaveAsync), (_, _) => RolloutReply.Refused(RolloutErrors.WaveChanged("spring", 0)));

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Approver(edge).ApproveWaveAsync(new V1.ApproveWaveRequest { Name = Name }, cancellationToken: Stop));

        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_WAVE_CHANGED"), (code, reason));
    }

    [Theory]
    [InlineData(-1, "")]
    [InlineData(33, "")]
    [InlineData(0, "an etag that nobody could ever have been given, because it is far longer than any of them is")]
    public async Task ApproveWave_ThatIsMalformed_IsInvalid(int wave, string etag)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.ApproveWaveRequest { Name = Name, Wave = wave, Etag = etag };

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Approver(edge).ApproveWaveAsync(request, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    private static V1.Rollouts.RolloutsClient Operator(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.Rollouts.RolloutsClient Approver(OperatorsEdge edge) => new(edge.Connect("bert", OperatorRole.Approver));

    private static V1.CreateRolloutRequest Creation(V1.FailureAction action) => new()
    {
        Parent = "tenants/default",
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = "tenants/default/images/" + new string('a', 64),
            Waves = { new V1.WaveSpec { Percent = 100 } },
            FailureGate = new V1.FailureGate { FailureCount = 3, Action = action },
        },
    };

    private static Rollout Waiting() => RolloutOf(RolloutPlan.Draft with
    {
        State = RolloutState.Running,
        Epoch = 3,
        Waves =
        [
            new WavePlan
            {
                Cut = new WaveCut(ulong.MaxValue, "", false, 5, 0, 0),
                State = WaveState.AwaitingApproval,
                AwaitingSince = Samples.At,
                Totals = new ShareTotals { Members = 5, Succeeded = 5 },
            },
        ],
    });

    private static Rollout RolloutOf(RolloutPlan plan) => new()
    {
        Tenant = TenantId.Default,
        Id = ResourceId.TryParse("spring", out var id) ? id : throw new InvalidOperationException(),
        Spec = new RolloutSpec
        {
            ImageDigest = new string('a', 64),
            TargetVersion = "12.1.0",
            Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, false) { NeedsApproval = true }],
        },
        Plan = plan,
        CreatedBy = Actor.Operator("anna"),
        CreatedAt = Samples.At,
        RequestId = "r1",
    };
}
