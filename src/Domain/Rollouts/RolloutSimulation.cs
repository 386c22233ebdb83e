using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Runs a rollout many times against devices that only assumptions describe: the same cutter, the same planner and the same gates as a real
/// one, and virtual time. The same arguments give the same result.
/// </summary>
public static class RolloutSimulation
{
    /// <summary>A distribution of more runs is not told from this one by a person.</summary>
    public const int RunsMax = 10_000;

    /// <summary>Offers of all runs together: some ten seconds of a processor.</summary>
    public const long OffersMax = 20_000_000;

    /// <summary>A member point takes some 60 bytes while the waves are cut.</summary>
    public const int MembersMax = 1_000_000;

    /// <summary>Twice the longest soak: nobody plans a rollout for longer.</summary>
    public static readonly TimeSpan TimeMax = RolloutLimits.SoakMax * 2;

    /// <summary>
    /// What is wrong with the arguments; empty when a simulation can run. The spec itself is the caller's to validate.
    /// </summary>
    public static ImmutableArray<SpecProblem> Validate(
        RolloutSpec spec, SimulatedFleet fleet, SimulationAssumptions assumptions, int runs)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(fleet);
        ArgumentNullException.ThrowIfNull(assumptions);
        var problems = ImmutableArray.CreateBuilder<SpecProblem>();
        Require(fleet.Members is >= 1 and <= MembersMax, "members", $"is from 1 to {MembersMax}");
        Require(fleet.Connected >= 0 && fleet.Connected <= fleet.Members, "connected", "is from 0 to the number of members");
        Require(runs is >= 1 and <= RunsMax, "runs", $"is from 1 to {RunsMax}");
        var offers = fleet.Members + fleet.BelowSteps.Sum(count => (long)count);
        Require(runs * offers <= OffersMax, "runs", $"times members, and times the steps before them, is at most {OffersMax}");
        Require(fleet.BelowSteps.IsEmpty || spec.TakeSteps, "below_steps", "is for a rollout with take_steps");
        Require(
            fleet.BelowSteps.Length <= ImageConditions.StepsMax && IsAscending([0, .. fleet.BelowSteps, fleet.Members]),
            "below_steps",
            $"is at most {ImageConditions.StepsMax} numbers of members, each no less than the one before");
        foreach (var (field, percent) in new[]
        {
            ("failure_percent", assumptions.FailurePercent),
            ("bad_failure_percent", assumptions.BadFailurePercent),
            ("silent_percent", assumptions.SilentPercent),
            ("touched_percent_max", assumptions.TouchedPercentMax),
        })
        {
            Require(percent is >= 0 and <= 100, field, "is from 0 to 100");
        }

        Require(
            assumptions.TakesMedian > TimeSpan.Zero
                && assumptions.TakesMedian <= assumptions.TakesAtMost && assumptions.TakesAtMost <= TimeMax,
            "takes_at_most",
            "is at least takes_median, and that is above 0");
        Require(
            assumptions.ApprovalTakes >= TimeSpan.Zero && assumptions.ApprovalTakes <= TimeMax,
            "approval_takes",
            $"is up to {TimeMax.TotalDays:0} days");
        Require(
            assumptions.AwayMean > TimeSpan.Zero && assumptions.AwayMean <= TimeMax, "away_mean", $"is up to {TimeMax.TotalDays:0} days");
        SimulatedGroup.Check(fleet, spec.Waves, problems);
        return problems.ToImmutable();

        void Require(bool isSo, string field, string text)
        {
            if (!isSo)
            {
                problems.Add(new SpecProblem(field, text));
            }
        }
    }

    private static bool IsAscending(ImmutableArray<int> counts) => counts.Zip(counts.Skip(1)).All(pair => pair.First <= pair.Second);

    /// <summary>Runs it with an image of which <paramref name="failurePercent"/> of the devices report a failure.</summary>
    /// <param name="spec">A valid one (<see cref="RolloutSpecRules.Validate"/>).</param>
    /// <param name="fleet">A valid one, as the assumptions and the runs (<see cref="Validate"/>).</param>
    /// <param name="assumptions">What the devices do.</param>
    /// <param name="failurePercent">In place of the assumptions' own: of the good image or of the bad one.</param>
    /// <param name="runs">How often.</param>
    /// <param name="seed">Of the runs; the spec's own seed orders the members.</param>
    /// <param name="cancellationToken">Looked at between runs.</param>
    public static SimulationResult Run(
        RolloutSpec spec,
        SimulatedFleet fleet,
        SimulationAssumptions assumptions,
        double failurePercent,
        int runs,
        int seed,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(fleet);
        ArgumentNullException.ThrowIfNull(assumptions);
        var waves = SimulatedWaves.Cut(spec, fleet);
        var simulated = SpecOf(spec, assumptions);
        var done = ImmutableArray.CreateBuilder<SimulatedRollout>(runs);
        for (var run = 0; run < runs; run++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var devices = new SimulatedDevices(assumptions, failurePercent, spec.Timers, SeededNumbers.Of(seed, run));
            done.Add(new SimulatedCoordinator(simulated, waves, devices).Run());
        }

        return new SimulationResult(done.MoveToImmutable(), [.. waves.Cuts.Select(cut => cut.Members)]);
    }

    /// <summary>
    /// An approver behind an open gate is so much more soak: the gates are looked at for as long. The assumptions say nothing of devices
    /// that come later: nobody joins.
    /// </summary>
    private static RolloutSpec SpecOf(RolloutSpec spec, SimulationAssumptions assumptions) => spec with
    {
        IncludeLateJoiners = false,
        Waves = [.. spec.Waves.Select(wave => wave.NeedsApproval
            ? wave with { NeedsApproval = false, Soak = wave.Soak + assumptions.ApprovalTakes }
            : wave)],
    };
}

/// <summary>The waves of a simulated fleet, and how many members of each have no session at the freeze.</summary>
internal sealed record SimulatedWaves(ImmutableArray<WaveCut> Cuts, ImmutableArray<int> Away)
{
    /// <summary>Members of all waves by how many steps are before them, from 0; empty when nobody has any.</summary>
    public ImmutableArray<int> Steps { get; init; } = [];

    public static SimulatedWaves Cut(RolloutSpec spec, SimulatedFleet fleet)
    {
        ImmutableArray<MemberPoint> points = [.. PointsOf(spec, fleet)];
        var cuts = WaveCutter.Cut(spec.Waves, points);
        var away = new int[cuts.Length];
        foreach (var point in points)
        {
            if (!point.Connected)
            {
                away[WaveCut.WaveOf(cuts, point)]++;
            }
        }

        return new SimulatedWaves(cuts, [.. away]) { Steps = fleet.StepCounts };
    }

    private static IEnumerable<MemberPoint> PointsOf(RolloutSpec spec, SimulatedFleet fleet)
    {
        ImmutableArray<SimulatedGroup> groups = fleet.Groups.IsEmpty
            ? [new(fleet.Members, fleet.Connected, ImmutableDictionary<string, string>.Empty)]
            : fleet.Groups;
        var sorter = WaveSorting.Of(spec.Waves) is { } sorting ? new MemberSorter(sorting) : null;
        var number = 0;
        foreach (var group in groups)
        {
            var (here, away) = (ClassOf(group, connected: true), ClassOf(group, connected: false));
            for (var i = 0; i < group.Members; i++)
            {
                var connected = i < group.Connected;
                yield return MemberPoint.Of(Device(number++), spec.Seed, connected) with { Class = connected ? here : away };
            }
        }

        MemberClass? ClassOf(SimulatedGroup group, bool connected) =>
            sorter?.ClassOf(group.Seen(connected), DateTimeOffset.UnixEpoch, matches: null);
    }

    private static DeviceId Device(int number) =>
        DeviceId.TryParse($"SIMULATED{number:D7}", out var id) ? id : throw new UnreachableException("A number of seven digits.");
}
