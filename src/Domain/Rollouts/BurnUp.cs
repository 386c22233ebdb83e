namespace Muster.Domain.Rollouts;

/// <summary>Where a rollout stood at a time, all waves together. Numbers of devices; they fall when an outcome is taken back.</summary>
/// <param name="At">When they were first seen so.</param>
/// <param name="Offered">In progress, or ended; the skipped and the removed are not among them.</param>
/// <param name="Succeeded">Those of them that have succeeded.</param>
/// <param name="Failed">Those of them that failed, timed out or rejected, also where they will be tried again.</param>
[GenerateSerializer, Immutable, Alias("muster.burn-up-point")]
public readonly record struct BurnUpPoint(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] int Offered,
    [property: Id(2)] int Succeeded,
    [property: Id(3)] int Failed)
{
    /// <summary>Offered and without an outcome.</summary>
    public int InProgress => Offered - Succeeded - Failed;

    internal static BurnUpPoint Of(RolloutPlan plan, DateTimeOffset at)
    {
        var (offered, succeeded, failed) = (0, 0, 0);
        foreach (var wave in plan.Waves)
        {
            offered += wave.Totals.InProgress + wave.Totals.FinishedNow;
            succeeded += wave.Totals.Succeeded;
            failed += wave.Totals.FailedNow;
        }

        return new BurnUpPoint(at, offered, succeeded, failed);
    }

    internal bool IsAs(BurnUpPoint other) => this with { At = other.At } == other;
}

/// <summary>
/// The course of a rollout as a bounded series: one point for each interval in which something changed, the newest of it. When there is no
/// room the interval is doubled. It is stored with commits that happen anyway: what changed since the last of them is lost with a
/// coordinator, and the series then goes on with a step.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.burn-up")]
public sealed record BurnUp
{
    /// <summary>A terminal is 80 columns wide, and a point takes some 30 bytes of every commit.</summary>
    public const int PointsMax = 128;

    /// <summary>A rollout of ten minutes fills the series; one of a month ends with an interval of six hours.</summary>
    public static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(5);

    /// <summary>Of a rollout that begins.</summary>
    public static BurnUp Empty { get; } = new();

    [Id(0)] public TimeSpan Interval { get; init; } = IntervalMin;

    /// <summary>Oldest first; before the first everything is 0.</summary>
    [Id(1)] public ImmutableArray<BurnUpPoint> Points { get; init; } = [];

    /// <summary>
    /// The plan with where it stands now. It is the course of the way there: once that is turned round, totals are of the way back.
    /// </summary>
    internal static RolloutPlan Draw(RolloutPlan plan, DateTimeOffset now) =>
        plan is { RollBack: null, BurnUp: { } known, StartedAt: { } since }
            ? plan with { BurnUp = known.With(since, BurnUpPoint.Of(plan, now)) }
            : plan;

    /// <summary>The series with one more observation.</summary>
    /// <param name="since">The start of the rollout, from which intervals are counted.</param>
    /// <param name="point">Where it stands.</param>
    internal BurnUp With(DateTimeOffset since, BurnUpPoint point)
    {
        var last = Points.IsEmpty ? new BurnUpPoint(since, 0, 0, 0) : Points[^1];
        if (point.IsAs(last))
        {
            return this;
        }

        // The clock of another silo may be behind.
        var next = point.At < last.At ? point with { At = last.At } : point;
        return !Points.IsEmpty && Slot(since, next) == Slot(since, last)
            ? this with { Points = Points.SetItem(Points.Length - 1, next) }
            : (this with { Points = Points.Add(next) }).Thin(since);
    }

    /// <summary>How long devices were in progress so far, all together: what the mean of it is estimated by.</summary>
    internal TimeSpan InProgressFor(DateTimeOffset now)
    {
        var sum = TimeSpan.Zero;
        for (var i = 0; i < Points.Length; i++)
        {
            var until = i + 1 < Points.Length ? Points[i + 1].At : now;
            sum += until > Points[i].At ? (until - Points[i].At) * Math.Max(0, Points[i].InProgress) : TimeSpan.Zero;
        }

        return sum;
    }

    private BurnUp Thin(DateTimeOffset since)
    {
        var thinned = this;
        while (thinned.Points.Length > PointsMax)
        {
            var wider = thinned with { Interval = thinned.Interval * 2 };
            var points = thinned.Points;
            thinned = wider with
            {
                Points = [.. points.Where((point, i) =>
                    i + 1 == points.Length || wider.Slot(since, points[i + 1]) != wider.Slot(since, point))],
            };
        }

        return thinned;
    }

    private long Slot(DateTimeOffset since, BurnUpPoint point) => (point.At - since).Ticks / Interval.Ticks;
}
