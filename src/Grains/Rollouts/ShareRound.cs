using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// The newest reports of a rollout's shares, and which share to ask next: those with permits on their way or with members
/// that can still move; the others now and then, because a device can fail late.
/// </summary>
internal sealed class ShareRound(IGrainFactory grains)
{
    /// <summary>A late failure of a passed wave halts the rollout within this time.</summary>
    private static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<int, ShareReport> _reports = [];
    private readonly Dictionary<int, DateTimeOffset> _askedAt = [];

    /// <summary>Also of those that did not answer: a silent one has its turn like the others, and not before them.</summary>
    private readonly Dictionary<int, DateTimeOffset> _turnAt = [];
    private Exception? _lastFault;

    public ImmutableArray<ShareReport> Reports => [.. _reports.Values];

    /// <summary>The partitions to ask now, whose turn is longest ago first: a round that ends early leaves nobody out for ever.</summary>
    public List<int> Select(RolloutPlan plan, DateTimeOffset now) =>
        [.. plan.Shares.Where(share => IsDue(share, plan, now)).Select(share => share.Partition).OrderBy(_turnAt.GetValueOrDefault)];

    /// <summary>The partitions whose permits are on their way.</summary>
    public static List<int> SelectGranted(RolloutPlan plan) =>
        [.. plan.Shares.Where(IsGranted).Select(share => share.Partition)];

    /// <summary>
    /// Asks the partitions with what is committed, some at a time and none after <paramref name="until"/>; true when something
    /// changed. A silent one is asked again.
    /// </summary>
    public async Task<bool> AskAsync(Rollout committed, List<int> partitions, TimeProvider clock, DateTimeOffset until)
    {
        var changed = false;
        foreach (var chunk in partitions.Chunk(RolloutFreeze.FanOutMax))
        {
            var now = clock.GetUtcNow();
            if (now >= until)
            {
                return true;
            }

            Array.ForEach(chunk, partition => _turnAt[partition] = now);
            foreach (var report in await Task.WhenAll(chunk.Select(partition => AskAsync(committed, partition))))
            {
                if (report is null)
                {
                    continue;
                }

                changed |= !_reports.TryGetValue(report.Partition, out var old) || old.Version < report.Version;
                _reports[report.Partition] = report;
                _askedAt[report.Partition] = now;
            }
        }

        return changed;
    }

    /// <summary>Why a share was silent since the last call of this; null when all answered.</summary>
    public Exception? TakeLastFault()
    {
        var fault = _lastFault;
        _lastFault = null;
        return fault;
    }

    private async Task<ShareReport?> AskAsync(Rollout committed, int partition)
    {
        var plan = committed.Plan;
        var share = plan.Shares.First(one => one.Partition == partition);
        var command = new AdvanceShare
        {
            Freeze = committed.Freeze,
            Epoch = plan.Epoch,
            IsOffering = plan.State == RolloutState.Running,
            Seed = committed.Spec.Seed,
            Cuts = [.. plan.Waves.Select(wave => wave.Cut)],
            Granted = [.. share.Waves.Select(grant => grant.Granted)],
            Seen = [.. share.Waves.Select(grant => grant.Seen)],
            OpenedAt = [.. plan.Waves.Select(wave => wave.StartedAt)],
            Image = committed.Image ?? throw new InvalidOperationException($"Rollout '{committed.Id}' has started without an image."),
            AllowTrackChange = committed.Spec.AllowTrackChange,
            InProgressTimeout = committed.Spec.InProgressTimeout,
            UndeliveredTimeout = committed.Spec.UndeliveredTimeout,
        };
        try
        {
            return await grains.GetRolloutPartition(committed.Tenant, committed.Id, partition).AdvanceAsync(command);
        }
        catch (Exception fault)
        {
            // One partition that does not answer must not stop the others; until it answers nothing new is granted.
            _lastFault = fault;
            return null;
        }
    }

    private bool IsDue(SharePlan share, RolloutPlan plan, DateTimeOffset now) =>
        !_reports.TryGetValue(share.Partition, out var report)
        || IsGranted(share)
        || now - _askedAt[share.Partition] >= QuietInterval
        || plan.Waves.Zip(report.Waves).Any(pair => pair.First.IsOpen && pair.Second.Terminal < pair.Second.Members)
        || report.Waves.Any(wave => wave.InProgress > 0);

    private static bool IsGranted(SharePlan share) => share.Waves.Any(grant => grant.Outstanding > 0);
}
