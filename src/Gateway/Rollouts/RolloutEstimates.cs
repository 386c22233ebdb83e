using System.Collections.Concurrent;
using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Gateway.Rollouts;

/// <summary>
/// Estimates of when rollouts end, calculated in this process when somebody reads one: one at a time, with pauses between them, because
/// devices come first; and each rollout's at most every ten seconds, however many look at it. What the state alone says waits for nothing.
/// </summary>
internal sealed partial class RolloutEstimates(TimeProvider clock, ILogger<RolloutEstimates> logger)
{
    /// <summary>Estimates are in whole minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    /// <summary>Who reads a rollout does not wait longer for its end; he is told an older one, or that he may ask again.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(2);

    /// <summary>After each a pause of so many times what it took: all of them together take a fifth of a processor.</summary>
    private const int PauseByTime = 4;

    /// <summary>More rollouts than anybody looks at within ten seconds; some hundred bytes each.</summary>
    private const int RememberedMax = 1_000;

    private static readonly RolloutEstimate s_busy =
        new(null, EstimateStop.Busy, null, "unknown: it or another is being calculated, or was just now; ask again");

    private static readonly RolloutEstimate s_failed =
        new(null, EstimateStop.Busy, null, "unknown: it could not be calculated, the gateway's log says why; it is tried again");

    private readonly ConcurrentDictionary<(TenantId, ResourceId), Known> _known = new();
    private readonly Lock _gate = new();
    private Calculation? _running;
    private long _pauseSince;
    private TimeSpan _pause;

    public async ValueTask<RolloutEstimate> OfAsync(Rollout rollout, CancellationToken cancellationToken)
    {
        if ((RolloutEstimator.WithoutSimulation(rollout) ?? Find(rollout, Lifetime)) is { } known)
        {
            return known;
        }

        if (CalculationOf(rollout) is { } calculation)
        {
            try
            {
                return await calculation.WaitAsync(WaitMax, clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                // It goes on, for who asks next.
            }
        }

        return Find(rollout, TimeSpan.MaxValue) ?? s_busy;
    }

    /// <summary>
    /// The one that is under way or begins now; null while another is, or during the pause: that is longer than what it follows, so waiting
    /// for it would mostly be in vain.
    /// </summary>
    private Task<RolloutEstimate>? CalculationOf(Rollout rollout)
    {
        lock (_gate)
        {
            if (_running is { } running)
            {
                return running.Question == Question.Of(rollout) ? running.Task : null;
            }

            if (clock.GetElapsedTime(_pauseSince) < _pause)
            {
                return null;
            }

            // One that ended since it was looked for.
            if (Find(rollout, Lifetime) is { } known)
            {
                return Task.FromResult(known);
            }

            var task = Task.Run(() => Calculate(rollout), CancellationToken.None);
            _running = new Calculation(Question.Of(rollout), task);
            return task;
        }
    }

    private RolloutEstimate Calculate(Rollout rollout)
    {
        var began = clock.GetTimestamp();
        var estimate = s_failed;
        try
        {
            estimate = RolloutEstimator.Of(rollout, clock.GetUtcNow());
        }
#pragma warning disable CA1031 // Whatever it is: the rollout is shown without its end, and the log has it.
        catch (Exception fault) when (fault is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            LogFault(logger, fault, rollout.Tenant, rollout.Id);
        }
        finally
        {
            End(rollout, estimate, began);
        }

        return estimate;
    }

    /// <summary>A failed one is remembered as others are: it is neither repeated nor logged more often.</summary>
    private void End(Rollout rollout, RolloutEstimate estimate, long began)
    {
        if (_known.Count >= RememberedMax)
        {
            _known.Clear();
        }

        lock (_gate)
        {
            _pauseSince = clock.GetTimestamp();
            _pause = clock.GetElapsedTime(began, _pauseSince) * PauseByTime;
            _known[(rollout.Tenant, rollout.Id)] = new Known(Question.Of(rollout), _pauseSince, estimate);
            _running = null;
        }
    }

    private RolloutEstimate? Find(Rollout rollout, TimeSpan lifetime) =>
        _known.TryGetValue((rollout.Tenant, rollout.Id), out var known)
            && known.Question == Question.Of(rollout) && clock.GetElapsedTime(known.At) < lifetime
            ? known.Estimate
            : null;

    [LoggerMessage(Level = LogLevel.Error, Message = "When rollout {Rollout} of tenant {Tenant} ends could not be calculated")]
    private static partial void LogFault(ILogger logger, Exception fault, TenantId tenant, ResourceId rollout);

    private sealed record Calculation(Question Question, Task<RolloutEstimate> Task);

    private sealed record Known(Question Question, long At, RolloutEstimate Estimate);

    /// <summary>An estimate of another state, epoch or start is of what was, however new it is.</summary>
    private readonly record struct Question(TenantId Tenant, ResourceId Rollout, RolloutState State, long Epoch, Guid Freeze)
    {
        public static Question Of(Rollout rollout) =>
            new(rollout.Tenant, rollout.Id, rollout.Plan.State, rollout.Plan.Epoch, rollout.Freeze);
    }
}
