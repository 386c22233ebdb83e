using System.Collections.Concurrent;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What becomes of one step at the store.</summary>
internal enum StoreFault
{
    None,

    /// <summary>It is not taken, and whoever asked is told so.</summary>
    Lost,

    /// <summary>It is taken, and whoever asked is told that it is not known.</summary>
    Unanswered,
}

/// <summary>How a rollout's fault shows at its point.</summary>
public enum FaultShape
{
    /// <summary>The step is lost.</summary>
    Lost,

    /// <summary>The step is taken and its answer lost, as for somebody who dies then.</summary>
    Unanswered,

    /// <summary>From this step on the store is away for a minute.</summary>
    Gone,
}

/// <summary>
/// The steps that rollouts take at the store, in their order, and the one at which each of them meets its fault. A step belongs to the
/// rollout whose site, or whose device, its name ends with or holds between slashes.
/// </summary>
internal sealed class FaultPoints(FaultShape shape, TimeProvider clock)
{
    private static readonly TimeSpan Away = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Point> _points = new();
    private readonly ConcurrentDictionary<string, Point> _devices = new();

    /// <summary>From now on the site's rollout meets its fault at this step of its own, counted from 1.</summary>
    public void Arm(string site, IEnumerable<string> devices, int step)
    {
        var point = _points[site] = new Point(step);
        foreach (var device in devices)
        {
            _devices[device] = point;
        }
    }

    /// <summary>The step at which the site's rollout met its fault; null when it was over before.</summary>
    public string? Struck(string site) => _points[site].Struck;

    /// <summary>What becomes of this step.</summary>
    public StoreFault Meet(string step)
    {
        if (Find(step) is not { } point)
        {
            return StoreFault.None;
        }

        lock (point)
        {
            var isHere = ++point.Taken == point.At;
            if (isHere)
            {
                point.Struck = step;
                point.BackAt = clock.GetUtcNow() + Away;
            }

            return (shape, isHere) switch
            {
                (FaultShape.Lost, true) => StoreFault.Lost,
                (FaultShape.Unanswered, true) => StoreFault.Unanswered,
                (FaultShape.Gone, _) when point.BackAt > clock.GetUtcNow() => StoreFault.Lost,
                _ => StoreFault.None,
            };
        }
    }

    /// <summary>A name is <c>verb kind/tenant/site</c>, with the partition behind it for a share, or <c>offer tenant/device</c>.</summary>
    private Point? Find(string step)
    {
        var name = step[(step.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return _devices.TryGetValue(name, out var ofDevice)
            ? ofDevice
            : name.Split('/').Select(part => _points.GetValueOrDefault(part)).FirstOrDefault(point => point is not null);
    }

    private sealed class Point(int at)
    {
        public int At => at;

        public int Taken { get; set; }

        public string? Struck { get; set; }

        public DateTimeOffset? BackAt { get; set; }
    }
}
