using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A rollout's course as both pictures of it need it.</summary>
internal sealed class RolloutCourse
{
    /// <summary>Decisions that stopped offers of the image.</summary>
    private static readonly string[] s_halts =
        ["FAILURE_GATE", "BELOW_SUCCESS_GATE", "NO_EVIDENCE", "IMAGE_REVOKED", "PAUSED", "CANCELLING", "ROLLING_BACK"];

    private readonly IReadOnlyList<V1.BurnUpPoint> _points;

    private RolloutCourse(V1.Rollout rollout, DateTimeOffset now)
    {
        Rollout = rollout;
        Start = rollout.StartedAt.ToDateTimeOffset();
        var end = rollout.EndedAt?.ToDateTimeOffset() ?? now;
        End = end > Start ? end : Start.AddSeconds(1);
        _points = rollout.BurnUp?.Points ?? [];
        DrawnUntil = DrawnTo(rollout.RollBack?.StartedAt.ToDateTimeOffset(), _points, End);
        Waves = [.. rollout.WaveStatus.SelectMany(Started)];
        Halts = [.. rollout.Decisions
            .Where(decision => s_halts.Contains(decision.Decision))
            .Select(decision => new CourseMark(decision.At.ToDateTimeOffset(), decision.Decision, decision.Reason))];
    }

    public V1.Rollout Rollout { get; }

    public string Name => Values.Short(Rollout.Name);

    public DateTimeOffset Start { get; }

    /// <summary>The end of the rollout, or now.</summary>
    public DateTimeOffset End { get; }

    /// <summary>The end, or where the rollout was turned round: the way back is not in the course.</summary>
    public DateTimeOffset DrawnUntil { get; }

    public IReadOnlyList<CourseMark> Waves { get; }

    /// <summary>What stopped it, oldest first: gates, and operators.</summary>
    public IReadOnlyList<CourseMark> Halts { get; }

    /// <summary>As they are drawn: from nothing at the start to what it is at the end.</summary>
    public IEnumerable<V1.BurnUpPoint> Steps =>
        _points.Prepend(new V1.BurnUpPoint { At = Rollout.StartedAt });

    /// <summary>One sentence with the numbers of the end.</summary>
    public string Sum
    {
        get
        {
            var last = At(End);
            var inProgress = last.Offered - last.Succeeded - last.Failed;
            var succeeded = FormattableString.Invariant($"{last.Succeeded} of {Rollout.Members} devices");
            return Rollout.RollBack is { } back
                ? $"rolled back since {Time(back.StartedAt.ToDateTimeOffset())}: {succeeded} had succeeded before, "
                    + FormattableString.Invariant($"{last.Failed} had failed, {inProgress} were in progress.")
                : $"{succeeded} have succeeded, " + FormattableString.Invariant($"{last.Failed} failed, {inProgress} are in progress.");
        }
    }

    /// <summary>Null for one that was not started.</summary>
    public static RolloutCourse? Of(V1.Rollout rollout, DateTimeOffset now) =>
        rollout.StartedAt is null ? null : new RolloutCourse(rollout, now);

    /// <summary>Where it stood at a time.</summary>
    public V1.BurnUpPoint At(DateTimeOffset at) =>
        Steps.Last(point => point.At.ToDateTimeOffset() <= at || point.At.Equals(Rollout.StartedAt));

    /// <summary>Which part of the picture's width lies before a time, 0 to 1.</summary>
    public double Place(DateTimeOffset at) => Math.Clamp((at - Start) / (End - Start), 0, 1);

    /// <summary>A time of the axis: with the day where there is more than one.</summary>
    public string Time(DateTimeOffset at) => End - Start > TimeSpan.FromHours(20)
        ? FormattableString.Invariant($"{at.UtcDateTime:yyyy-MM-dd HH:mm}Z")
        : FormattableString.Invariant($"{at.UtcDateTime:HH:mm:ss}Z");

    /// <summary>A silo's clock may be behind that of the one before it: no point is left out for that.</summary>
    private static DateTimeOffset DrawnTo(DateTimeOffset? turn, IReadOnlyList<V1.BurnUpPoint> points, DateTimeOffset end)
    {
        var last = points.Count == 0 ? DateTimeOffset.MinValue : points[^1].At.ToDateTimeOffset();
        return turn is not { } at ? end : at < last ? last : at;
    }

    /// <summary>Of a wave that is rolled back the start on the way there.</summary>
    private static IEnumerable<CourseMark> Started(V1.Wave wave) =>
        (wave.WayThere is { } there ? there.StartedAt : wave.StartedAt) is { } at
            ? [new CourseMark(at.ToDateTimeOffset(), $"wave {wave.Index}", $"Wave {wave.Index} started.")]
            : [];
}

/// <summary>Something that happened at a time of the course.</summary>
internal sealed record CourseMark(DateTimeOffset At, string Label, string Text);
