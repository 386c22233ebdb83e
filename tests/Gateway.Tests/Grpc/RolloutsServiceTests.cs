using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class RolloutsServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateRollout_WithDefaults_HandsOnTheSpecAndAnswersWithTheDraft()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created, RolloutPlan.Draft), [], 0, null);
        });

        var first = await Client(edge).CreateRolloutAsync(Creation(), cancellationToken: Stop);
        var seed = created!.Spec.Seed;
        var second = await Client(edge).CreateRolloutAsync(Creation(), cancellationToken: Stop);

        Assert.Equal(V1.RolloutState.Draft, first.State);
        Assert.Equal(first, second);
        Assert.Equal(seed, created.Spec.Seed);
        Assert.Equal([true, false], created.Spec.Waves.Select(wave => wave.ConnectedOnly));
        Assert.Equal([Amount.Count(5), Amount.Percent(100)], created.Spec.Waves.Select(wave => wave.Size));
        Assert.Equal([100, 90], created.Spec.Waves.Select(wave => wave.SuccessPercent));
        Assert.Equal(FailureGate.Off, created.Spec.FailureGate);
        Assert.Equal(RolloutSpec.InProgressTimeoutDefault, created.Spec.InProgressTimeout);
    }

    [Fact]
    public async Task CreateRollout_WithAGrowingRateAndABudgetInPercent_HandsThemOnAndShowsThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created, RolloutPlan.Draft), [], 0, null);
        });
        var request = Creation();
        request.Rollout.DevicesPerMinute = 50;
        request.Rollout.RateGrowth = new V1.RateGrowth { Factor = 1.5, Succeeded = 1_000, DevicesPerMinuteMax = 400 };
        request.Rollout.MaxUnavailablePercent = 5;
        request.Rollout.Waves[1].MinSucceeded = 7;

        var shown = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(new RateGrowth(15, RateStep.Succeeded, 1_000, 400), created!.Spec.RateGrowth);
        Assert.Equal(Amount.Percent(5), created.Spec.MaxUnavailable);
        Assert.Equal([1, 7], created.Spec.Waves.Select(wave => wave.MinSucceeded));
        Assert.Equal(
            (request.Rollout.RateGrowth, 0, 5, 7),
            (shown.RateGrowth, shown.MaxUnavailable, shown.MaxUnavailablePercent, shown.Waves[1].MinSucceeded));
    }

    [Fact]
    public async Task CreateRollout_WithAttemptsAndPolicies_HandsThemOnAndShowsThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (key, args) =>
        {
            created = (CreateRollout)args[0]!;
            return new RolloutReply(RolloutOf(key, created, RolloutPlan.Draft), [], 0, null);
        });
        var request = Creation();
        request.Rollout.Retries = new V1.Retries { MaxAttempts = 3, Backoff = Duration.FromTimeSpan(TimeSpan.FromHours(5)) };
        request.Rollout.UndeliveredPolicy = V1.TimeoutPolicy.Skip;
        var window = new V1.OfferWindow
        {
            Recurrence = "0 22 * * MON-FRI", Duration = Duration.FromTimeSpan(TimeSpan.FromHours(6)), TimeZone = "Europe/Stockholm",
        };
        request.Rollout.Windows.Add(window);
        var night = new V1.OfferWindow(window) { Recurrence = "0 23 * * *" };
        request.Rollout.InstallWindows.Add(night);

        var shown = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(new RetryPolicy(3, TimeSpan.FromHours(5), TimeSpan.FromHours(5)), created!.Spec.Retries);
        Assert.Equal(
            (TimeoutPolicy.Fail, TimeoutPolicy.LeaveOut), (created.Spec.InProgressPolicy, created.Spec.UndeliveredPolicy));
        Assert.Equal(new OfferWindow("0 22 * * MON-FRI", TimeSpan.FromHours(6), "Europe/Stockholm"), Assert.Single(created.Spec.Windows));
        Assert.Equal(window, Assert.Single(shown.Windows));
        Assert.Equal(
            new OfferWindow("0 23 * * *", TimeSpan.FromHours(6), "Europe/Stockholm"), Assert.Single(created.Spec.InstallWindows));
        Assert.Equal(night, Assert.Single(shown.InstallWindows));
        Assert.Equal((3, 5 * 3_600L), (shown.Retries.MaxAttempts, shown.Retries.BackoffMax.Seconds));
        Assert.Equal((V1.TimeoutPolicy.Fail, V1.TimeoutPolicy.Skip), (shown.InProgressPolicy, shown.UndeliveredPolicy));
    }

    [Fact]
    public async Task CreateRollout_WithAttemptsThatCannotBe_TellsEachField()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.Retries = new V1.Retries { Backoff = new Duration { Seconds = -1 } };
        request.Rollout.InProgressPolicy = (V1.TimeoutPolicy)9;

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            ["rollout.retries.max_attempts", "rollout.retries.backoff", "rollout.in_progress_policy"],
            status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task GetRollout_WithMembersToTryAgainOrSkipped_SaysHowManyAndWhy()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var command = new CreateRollout(Actor.Operator("anna"), "r1", SpecOf(), false);
        var wave = new WavePlan
        {
            Cut = new WaveCut(ulong.MaxValue, "", false, 9, 0, 0),
            State = WaveState.Running,
            Totals = new ShareTotals { Members = 9, Retrying = 2, Skipped = 4, Skips = new SkipTotals([1, 0, 0, 3]) },
        };
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.GetAsync), (key, _) =>
            new RolloutReply(
                RolloutOf(key, command, RolloutPlan.Draft with { Waves = [wave] }),
                [new WaveReport([WaitingOn.Retry, WaitingOn.Window]) { WindowOpensAt = Samples.At }],
                0,
                null));

        var shown = await Client(edge).GetRolloutAsync(
            new V1.GetRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop);

        Assert.Equal(2, shown.WaveStatus[0].Retrying);
        Assert.Equal($"wave 0: RETRY, WINDOW until {Samples.At.UtcDateTime:yyyy-MM-dd HH:mm'Z'}", shown.WaitingOn);
        Assert.Equal([("TRACK_MISMATCH", 3L), ("OTHER", 1L)], shown.WaveStatus[0].Skips.Select(skip => (skip.Reason, skip.Devices)));
    }

    [Theory]
    [InlineData(1.05, 1_000)]
    [InlineData(6, 1_000)]
    [InlineData(double.NaN, 1_000)]
    [InlineData(2, 0)]
    public async Task CreateRollout_WithARateThatCannotGrowSo_IsInvalid(double factor, int offered)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.RateGrowth = new V1.RateGrowth { Factor = factor };
        if (offered > 0)
        {
            request.Rollout.RateGrowth.Offered = offered;
        }

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.StartsWith(
            "rollout.rate_growth.", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateRollout_WithTwoBudgets_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        (request.Rollout.MaxUnavailable, request.Rollout.MaxUnavailablePercent) = (10, 5);

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal(
            "rollout.max_unavailable_percent", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task CreateRollout_ValidateOnly_SaysHowManyMatch()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, _) => new RolloutReply(null, [], 42, null));
        var request = Creation();
        request.ValidateOnly = true;

        var preview = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(42, preview.Members);
        Assert.Equal(V1.RolloutState.Unspecified, preview.State);
    }

    [Fact]
    public async Task CreateRollout_ValidateOnlyWithMembersBelowAStep_NamesTheStepAndItsImages()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var skips = ImmutableArray.CreateRange(new int[MemberReasons.Count]);
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, _) => new RolloutReply(null, [], 42, null)
        {
            ExpectedSkips = new SkipTotals(
                skips.SetItem((int)MemberReason.TrackMismatch, 2).SetItem((int)MemberReason.StepRequired, 7)),
            Steps = [new RequiredStep("10.12.0", 3, []), new RequiredStep("11.11.73", 7, [new string('a', 64)]) { IsTaken = true }],
        });
        var request = Creation();
        request.ValidateOnly = true;

        // What a caller sends of it is output only.
        request.Rollout.Steps.Add(new V1.RequiredStep { Version = "1.0" });
        request.Rollout.ExpectedSkips.Add(new V1.SkipCount { Reason = "OTHER" });
        var preview = await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop);

        Assert.Equal(
            [("STEP_REQUIRED", 7L), ("TRACK_MISMATCH", 2L)], preview.ExpectedSkips.Select(skip => (skip.Reason, skip.Devices)));
        Assert.Equal(
            [("10.12.0", 3L, "", false), ("11.11.73", 7L, $"tenants/default/images/{new string('a', 64)}", true)],
            preview.Steps.Select(step => (step.Version, step.Devices, string.Join(' ', step.Images), step.Taken)));
    }

    [Fact]
    public async Task CreateRollout_WithASpecThatMakesNoSense_TellsAllProblems()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, args) =>
        {
            var spec = ((CreateRollout)args[0]!).Spec with { TargetVersion = "12" };
            return RolloutReply.Refused(RolloutErrors.SpecInvalid(RolloutSpecRules.Validate(spec)));
        });
        var request = Creation();
        request.Rollout.Waves[0].SuccessPercent = 101;
        request.Rollout.Filter = "colour = red";

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "ROLLOUT_SPEC_INVALID"), (code, reason));
        Assert.Equal(
            ["filter", "waves[0].success_percent"], status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task StartRollout_ForNoDevice_IsAFailedPrecondition()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, RolloutReply>(
            nameof(IRolloutGrain.StartAsync), (_, _) => RolloutReply.Refused(RolloutErrors.NoDevices("spring", "site = Mars")));

        var (code, reason, status) = await Samples.RefusedAsync(async () => await Client(edge).StartRolloutAsync(
            new V1.StartRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.FailedPrecondition, "ROLLOUT_MATCHES_NO_DEVICE"), (code, reason));
        Assert.Equal("rollout/spring", Assert.Single(status.GetDetail<PreconditionFailure>()!.Violations).Subject);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tenants/default/rollouts/")]
    [InlineData("tenants/default/rollouts/Spring")]
    [InlineData("tenants/default/devices/spring")]
    [InlineData("tenants/default/rollouts/spring/more")]
    public async Task GetRollout_OfAMalformedName_IsInvalid(string name)
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).GetRolloutAsync(new V1.GetRolloutRequest { Name = name }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task CreateRollout_WithAnEndlessDuration_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = Creation();
        request.Rollout.Waves[0].Soak = new Duration { Seconds = long.MaxValue };

        var (_, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateRolloutAsync(request, cancellationToken: Stop));

        Assert.Equal("REQUEST_INVALID", reason);
        Assert.Equal("rollout.waves[0].soak", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task ExplainDevice_OfAMemberThatWaits_SaysForWhatInNames()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IRolloutGrain, DeviceExplanationReply>(nameof(IRolloutGrain.ExplainDeviceAsync), (_, args) => new(
            new DeviceExplanation
            {
                Device = (DeviceId)args[0]!,
                Wave = 1,
                Status = MemberStatus.Retrying,
                Attempt = 2,
                MaxAttempts = 3,
                WaitingOn = [WaitingOn.EarlierWave, WaitingOn.Retry],
                Until = Samples.At,
                BusyWith = "autumn",
                Recall = RecallState.Asked,
                Text = "why",
            },
            null));

        var explained = await Client(edge).ExplainDeviceAsync(Question("tenants/default/devices/B8A44F000001"), cancellationToken: Stop);

        Assert.Equal(("tenants/default/devices/B8A44F000001", ""), (explained.Device, explained.NotMember));
        Assert.Equal((V1.MemberState.Retrying, 1, 2, 3), (explained.State, explained.Wave, explained.Attempt, explained.MaxAttempts));
        Assert.Equal(["EARLIER_WAVE", "RETRY"], explained.WaitsFor);
        Assert.Equal("ASKED", explained.Recall);
        Assert.Equal((Samples.At, "tenants/default/rollouts/autumn"), (explained.Until.ToDateTimeOffset(), explained.BusyWith));
    }

    [Theory]
    [InlineData("", "REQUEST_INVALID")]
    [InlineData("B8A44F000001", "REQUEST_INVALID")]
    [InlineData("tenants/other/devices/B8A44F000001", "PERMISSION_DENIED")]
    public async Task ExplainDevice_OfNoDeviceOfTheTenant_IsRefused(string device, string expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (_, reason, _) = await Samples.RefusedAsync(
            async () => await Client(edge).ExplainDeviceAsync(Question(device), cancellationToken: Stop));

        Assert.Equal(expected, reason);
    }

    [Fact]
    public void MemberState_OfEveryStatus_IsTheSameNameInTheApi() => Assert.Equal(
        System.Enum.GetValues<MemberStatus>().Select(status => status.ToString()),
        System.Enum.GetValues<MemberStatus>().Select(status => ((V1.MemberState)status).ToString()));

    [Fact]
    public async Task WatchRollout_UntilItHasEnded_SendsEachChangeOnce()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var plans = new Queue<RolloutState>([
            RolloutState.Running, RolloutState.Running, RolloutState.Suspended, RolloutState.Running, RolloutState.Succeeded]);
        var command = new CreateRollout(Actor.Operator("anna"), "r1", SpecOf(), false);
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.GetAsync), (key, _) =>
            new RolloutReply(RolloutOf(key, command, RolloutPlan.Draft with { State = plans.Dequeue() }), [], 0, null));
        using var call = Client(edge).WatchRollout(
            new V1.WatchRolloutRequest { Name = "tenants/default/rollouts/spring" }, cancellationToken: Stop);
        var states = new List<V1.RolloutState>();

        await foreach (var rollout in call.ResponseStream.ReadAllAsync(Stop))
        {
            states.Add(rollout.State);
        }

        Assert.Equal([V1.RolloutState.Running, V1.RolloutState.Suspended, V1.RolloutState.Running, V1.RolloutState.Succeeded], states);
    }

    private static V1.Rollouts.RolloutsClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.ExplainDeviceRequest Question(string device) => new() { Name = "tenants/default/rollouts/spring", Device = device };

    private static V1.CreateRolloutRequest Creation() => new()
    {
        Parent = "tenants/default",
        RolloutId = "spring",
        RequestId = "r1",
        Rollout = new V1.Rollout
        {
            Image = "tenants/default/images/" + new string('a', 64),
            Waves = { new V1.WaveSpec { Count = 5 }, new V1.WaveSpec { Percent = 100, SuccessPercent = 90 } },
        },
    };

    private static RolloutSpec SpecOf() => new()
    {
        ImageDigest = new string('a', 64),
        TargetVersion = "12.1.0",
        Waves = [new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, false)],
    };

    private static Rollout RolloutOf(string key, CreateRollout command, RolloutPlan plan)
    {
        var (tenant, id) = RolloutKey.Parse(key);
        return new Rollout
        {
            Tenant = tenant,
            Id = id,
            Spec = command.Spec,
            Plan = plan,
            CreatedBy = command.Actor,
            CreatedAt = Samples.At,
            RequestId = command.RequestId,
        };
    }
}
