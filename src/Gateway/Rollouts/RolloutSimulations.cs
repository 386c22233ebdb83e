using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Runs simulations of rollouts in this process, one at a time: they only calculate, and devices come first.</summary>
internal sealed class RolloutSimulations : IDisposable
{
    private const int RunsDefault = 1_000;

    private const int Low = 5;
    private const int Median = 50;
    private const int High = 95;

    /// <summary>A simulation has neither an id nor an image.</summary>
    private static readonly ResourceId Id = ResourceId.TryParse("simulation", out var id)
        ? id
        : throw new System.Diagnostics.UnreachableException();

    private readonly SemaphoreSlim _place = new(1);

    public async Task<V1.SimulateRolloutResponse> RunAsync(V1.SimulateRolloutRequest request, CancellationToken cancellationToken)
    {
        var spec = RolloutsMapping.ToSpec(Id, WithoutMembers(request)) with { TargetVersion = "simulated" };
        var fleet = ToDomain(request.Fleet);
        var assumptions = ToDomain(request.Assumptions ?? new V1.SimulationAssumptions());
        var runs = request.Runs == 0 ? RunsDefault : request.Runs;
        var problems = RolloutSpecRules.Validate(spec).AddRange(RolloutSimulation.Validate(spec, fleet, assumptions, runs));
        if (!problems.IsEmpty)
        {
            throw FleetErrors.ToRpcException(RolloutErrors.SpecInvalid(problems));
        }

        if (!await _place.WaitAsync(TimeSpan.Zero, cancellationToken))
        {
            throw FleetErrors.LimitReached("simulations at a time", 1);
        }

        try
        {
            return await Task.Run(Simulate, cancellationToken);
        }
        finally
        {
            _place.Release();
        }

        V1.SimulateRolloutResponse Simulate()
        {
            var (good, bad) = (RunWith(assumptions.FailurePercent), RunWith(assumptions.BadFailurePercent));
            var touchedMax = (long)(fleet.Members * assumptions.TouchedPercentMax / 100);
            var answer = new V1.SimulateRolloutResponse
            {
                Runs = runs,
                Good = ToApi(good, assumptions.FailurePercent, touchedMax),
                Bad = ToApi(bad, assumptions.BadFailurePercent, touchedMax),
                TouchedPercentMax = assumptions.TouchedPercentMax,
            };
            answer.Waves.AddRange(good.Waves);
            answer.LeftOut.AddRange(LeftOut(request.Rollout, spec, fleet));
            return answer;
        }

        SimulationResult RunWith(double failurePercent) =>
            RolloutSimulation.Run(spec, fleet, assumptions, failurePercent, runs, request.Seed, cancellationToken);
    }

    public void Dispose() => _place.Dispose();

    /// <summary>A run has counts and no devices, so that nobody in it has a value, or a version.</summary>
    private static IEnumerable<string> LeftOut(V1.Rollout rollout, RolloutSpec spec, SimulatedFleet fleet)
    {
        if (rollout.Filter.Length > 0)
        {
            yield return $"filter ({rollout.Filter}): the members are those of the fleet; list them with this filter";
        }

        if (rollout.RetryOf.Length > 0)
        {
            yield return $"retry_of ({rollout.RetryOf}): the members are those of the fleet, whoever had not succeeded";
        }

        if (!spec.MaxUnavailablePer.IsEmpty)
        {
            yield return $"max_unavailable_per ({string.Join(", ", spec.MaxUnavailablePer)}): budgets per value are not simulated";
        }

        if (spec.TakeSteps && fleet.BelowSteps.IsEmpty)
        {
            yield return "take_steps: the fleet does not say who is below a step (below_steps), and each is simulated with one offer";
        }
    }

    /// <summary>The fleet says who they are.</summary>
    private static V1.Rollout WithoutMembers(V1.SimulateRolloutRequest request)
    {
        var rollout = request.Rollout.Clone();
        rollout.Image = ResourceNames.Of(TenantId.Default, "images", new string('0', 64));
        rollout.Settings.Clear();
        rollout.Filter = "";
        rollout.RetryOf = "";
        return rollout;
    }

    private static SimulatedFleet ToDomain(V1.SimulatedFleet fleet) => MembersOf(fleet) with { BelowSteps = [.. fleet.BelowSteps] };

    private static SimulatedFleet MembersOf(V1.SimulatedFleet fleet) => fleet.Groups.Count == 0
        ? new SimulatedFleet(fleet.Members, fleet.HasConnected ? fleet.Connected : fleet.Members)
        : SimulatedFleet.Of([.. fleet.Groups.Select(group => new SimulatedGroup(
            group.Members, group.HasConnected ? group.Connected : group.Members, group.Fields.ToImmutableDictionary()))]);

    private static SimulationAssumptions ToDomain(V1.SimulationAssumptions given)
    {
        var preset = new SimulationAssumptions();
        return new SimulationAssumptions
        {
            FailurePercent = given.HasFailurePercent ? given.FailurePercent : preset.FailurePercent,
            BadFailurePercent = given.HasBadFailurePercent ? given.BadFailurePercent : preset.BadFailurePercent,
            SilentPercent = given.HasSilentPercent ? given.SilentPercent : preset.SilentPercent,
            TakesMedian = given.TakesMedian?.ToTimeSpan() ?? preset.TakesMedian,
            TakesAtMost = given.TakesAtMost?.ToTimeSpan() ?? preset.TakesAtMost,
            AwayMean = given.AwayMean?.ToTimeSpan() ?? preset.AwayMean,
            ApprovalTakes = given.ApprovalTakes?.ToTimeSpan() ?? preset.ApprovalTakes,
            TouchedPercentMax = given.HasTouchedPercentMax ? given.TouchedPercentMax : preset.TouchedPercentMax,
        };
    }

    private static V1.SimulatedRollouts ToApi(SimulationResult result, double failurePercent, long touchedMax) => new()
    {
        FailurePercent = failurePercent,
        SucceededPercent = result.PercentOf(SimulationEnd.Succeeded),
        HaltedPercent = result.PercentOf(SimulationEnd.Halted),
        UnfinishedPercent = result.PercentOf(SimulationEnd.Unfinished),
        HaltedInTimePercent = result.PercentHaltedWithin(touchedMax),
        SucceededAfter = Times(result, SimulationEnd.Succeeded),
        HaltedAfter = Times(result, SimulationEnd.Halted),
        TouchedBeforeHalt = result.Quantile(SimulationEnd.Halted, Median, run => run.Touched) is null ? null : new V1.SimulatedCounts
        {
            P5 = result.Quantile(SimulationEnd.Halted, Low, run => run.Touched) ?? 0,
            P50 = result.Quantile(SimulationEnd.Halted, Median, run => run.Touched) ?? 0,
            P95 = result.Quantile(SimulationEnd.Halted, High, run => run.Touched) ?? 0,
        },
    };

    private static V1.SimulatedTimes? Times(SimulationResult result, SimulationEnd end)
    {
        return At(Median) is null ? null : new V1.SimulatedTimes { P5 = At(Low), P50 = At(Median), P95 = At(High) };

        // Nobody plans by fractions of a second.
        Duration? At(int percent) => result.Quantile(end, percent, run => run.After) is { } after
            ? new Duration { Seconds = (long)Math.Round(after.TotalSeconds) }
            : null;
    }
}
