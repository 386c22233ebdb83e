using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// The newest reports of a rollout's shares, and which share to ask next: those with permits on their way, those whose partition has told
/// of something new, and those that have to do something by the clock. The others now and then, because a message can be lost.
/// </summary>
internal sealed class ShareRound(IGrainFactory grains)
{
    /// <summary>What nobody told is heard within this time, such as a late failure of a passed wave.</summary>
    private static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Shares that make offers at a time: 1,024 offers keep the processors of some silos busy, and no more of them wait for one another.
    /// </summary>
    private const int OfferingMax = 16;

    private readonly Dictionary<int, ShareReport> _reports = [];
    private readonly Dictionary<int, DateTimeOffset> _askedAt = [];

    /// <summary>Also of those that did not answer: a silent one has its turn like the others, and not before them.</summary>
    private readonly Dictionary<int, DateTimeOffset> _turnAt = [];

    /// <summary>Those that have not answered yet: a round does not wait for the last of them, and the next one does not ask them.</summary>
    private readonly Dictionary<int, Task> _asking = [];

    /// <summary>Those that have something new, and from when on it is worth asking.</summary>
    private readonly Dictionary<int, DateTimeOffset> _heard = [];

    /// <summary>Those whose last answer did not come.</summary>
    private readonly HashSet<int> _silent = [];

    /// <summary>What each was told last, by the number of <see cref="_orders"/>.</summary>
    private readonly Dictionary<int, long> _told = [];
    private ShareOrders? _orders;
    private long _ordersGiven;
    private int _offering;
    private bool _changed;
    private Exception? _lastFault;

    /// <summary>What the installation asks for: who joins late may need an approval that the rollout has not got.</summary>
    public ApprovalPolicy Approvals { get; init; }

    public ImmutableArray<ShareReport> Reports => [.. _reports.Values];

    /// <summary>The last questions ended before all were answered.</summary>
    public bool IsCutShort { get; private set; }

    /// <summary>Whether answers are on their way.</summary>
    public bool IsAsking => _asking.Count > 0;

    /// <summary>
    /// The partitions to ask now: by turns one that has permits to use and one that may have news, of each those first whose turn is
    /// longest ago. A round that ends early leaves nobody out for ever, offers do not wait for outcomes, nor gates for offers.
    /// </summary>
    public List<int> Select(Rollout rollout, DateTimeOffset now)
    {
        var plan = rollout.Plan;
        IsCutShort = false;
        Note(ShareOrders.Of(rollout, now));
        var due = plan.Shares.Where(share => !_asking.ContainsKey(share.Partition) && IsDue(share, plan, now))
            .OrderBy(share => _turnAt.GetValueOrDefault(share.Partition))
            .ToLookup(IsGranted, share => share.Partition);
        var selected = new List<int>(plan.Shares.Length);
        foreach (var (granted, other) in due[true].Zip(due[false]))
        {
            selected.Add(granted);
            selected.Add(other);
        }

        selected.AddRange(due[true].Skip(due[false].Count()));
        selected.AddRange(due[false].Skip(due[true].Count()));
        return selected;
    }

    /// <summary>The partitions that have permits to use and are not about to.</summary>
    public List<int> SelectGranted(RolloutPlan plan) =>
        [.. plan.Shares.Where(share => IsGranted(share) && !_asking.ContainsKey(share.Partition)).Select(share => share.Partition)];

    /// <summary>
    /// Asks the partitions with what is committed, some at a time and none after <paramref name="until"/>, which is also when it stops to
    /// wait; true when something changed since the last time. A silent one is asked again.
    /// </summary>
    public async Task<bool> AskAsync(Rollout committed, List<int> partitions, TimeProvider clock, DateTimeOffset until)
    {
        var shares = committed.Plan.Shares.ToDictionary(share => share.Partition);
        var joiners = SearchJoiners.Of(committed, Approvals);
        IsCutShort = false;
        foreach (var partition in partitions)
        {
            // A slow one holds up nobody: the next is asked as soon as any has answered.
            while (!IsCutShort && (_asking.Count >= RolloutFreeze.FanOutMax || (IsGranted(shares[partition]) && _offering >= OfferingMax)))
            {
                IsCutShort = !await AnswerAsync(clock, until);
            }

            var now = clock.GetUtcNow();
            if (IsCutShort |= now >= until)
            {
                break;
            }

            _turnAt[partition] = now;
            _told[partition] = _ordersGiven;

            // Before the question: what is told from now on may be newer than the answer.
            _heard.Remove(partition);
            var asking = AskOneAsync(committed, joiners, shares[partition], now);
            if (!asking.IsCompleted)
            {
                _asking.Add(partition, asking);
            }
        }

        while (!IsCutShort && IsAsking)
        {
            IsCutShort = !await AnswerAsync(clock, until);
        }

        var changed = _changed;
        _changed = false;
        return changed;
    }

    /// <summary>False when none answered in time.</summary>
    private async Task<bool> AnswerAsync(TimeProvider clock, DateTimeOffset until)
    {
        var left = until - clock.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        using var enough = new CancellationTokenSource(left, clock);
        var time = Task.Delay(Timeout.InfiniteTimeSpan, enough.Token);
        return await Task.WhenAny([.. _asking.Values, time]) != time;
    }

    private async Task AskOneAsync(Rollout committed, SearchJoiners? joiners, SharePlan share, DateTimeOffset now)
    {
        var offering = IsGranted(share) ? 1 : 0;
        _offering += offering;
        var report = await AskAsync(committed, joiners, share);
        _offering -= offering;
        _asking.Remove(share.Partition);
        if (report is null)
        {
            _silent.Add(share.Partition);
        }
        else
        {
            _silent.Remove(share.Partition);
            _changed |= !_reports.TryGetValue(report.Partition, out var old) || old.Version < report.Version;
            _reports[report.Partition] = report;
            _askedAt[report.Partition] = now;
        }
    }

    /// <summary>Its last report is not all that there is to know: it is asked in the next round, and not when it has its turn.</summary>
    public void AskAgain(int partition) => _askedAt[partition] = DateTimeOffset.MinValue;

    /// <summary>A partition has news for its share.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="isUrgent">False when the share would not look at them before it has looked at who can be reached.</param>
    public void Hear(int partition, bool isUrgent)
    {
        if (!_turnAt.ContainsKey(partition))
        {
            return; // whoever was never asked is about to be, or has no share
        }

        var at = isUrgent || !_askedAt.TryGetValue(partition, out var askedAt)
            ? DateTimeOffset.MinValue
            : askedAt + MemberIndex.ReachInterval;
        _heard[partition] = _heard.TryGetValue(partition, out var heard) && heard < at ? heard : at;
    }

    /// <summary>Whether there are news for which a share can be asked, and was not yet.</summary>
    public bool HasNews(DateTimeOffset now) => _heard.Any(heard => heard.Value <= now && !_asking.ContainsKey(heard.Key));

    /// <summary>Why a share was silent since the last call of this; null when all answered.</summary>
    public Exception? TakeLastFault()
    {
        var fault = _lastFault;
        _lastFault = null;
        return fault;
    }

    private async Task<ShareReport?> AskAsync(Rollout committed, SearchJoiners? joiners, SharePlan share)
    {
        var plan = committed.Plan;
        var command = new AdvanceShare
        {
            Freeze = committed.Freeze,
            Epoch = plan.Epoch,
            IsOffering = plan.IsOffering,
            IsRollingBack = plan.RollBack is not null,
            Seed = committed.Spec.Seed,
            Cuts = [.. plan.Waves.Select(wave => wave.Cut)],
            Granted = [.. share.Waves.Select(grant => grant.Granted)],
            Seen = [.. share.Waves.Select(grant => grant.Seen)],
            OpenedAt = [.. plan.Waves.Select(wave => wave.StartedAt)],
            Image = committed.Image,
            Settings = committed.Spec.Settings,
            AllowTrackChange = committed.Spec.AllowTrackChange,
            InProgressTimeout = committed.Spec.InProgressTimeout,
            UndeliveredTimeout = committed.Spec.UndeliveredTimeout,
            IsWithdrawing = plan.IsImageRevoked,
            RevokedSteps = plan.RevokedSteps,
            Retries = committed.Spec.Retries,
            Windows = committed.Spec.Windows,
            InstallWindows = committed.Spec.InstallWindows,
            InProgressPolicy = committed.Spec.InProgressPolicy,
            UndeliveredPolicy = committed.Spec.UndeliveredPolicy,
            Joiners = joiners,
            IsCancelling = plan.State == RolloutState.Cancelling,
            Rank = committed.Rank,
            Path = committed.Spec.Path.IsDefault ? [] : committed.Spec.Path,
            Budgets = committed.Spec.MaxUnavailablePer,
            KeepsNewer = LateJoiners.KeepsNewer(committed, Approvals),
            HearsNews = true,
        };
        try
        {
            return await grains.GetRolloutPartition(committed.Tenant, committed.Id, share.Partition).AdvanceAsync(command);
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
        || report.IsRollingBack != (plan.RollBack is not null)
        || (!report.JoiningHasEnded && plan is { State: RolloutState.Running, JoiningEndedAt: not null })
        || now - _askedAt[share.Partition] >= QuietInterval
        || (_heard.TryGetValue(share.Partition, out var heardAt) && heardAt <= now)
        || _silent.Contains(share.Partition)
        || _told.GetValueOrDefault(share.Partition) != _ordersGiven
        || (report.QuietUntil is { } quietUntil ? quietUntil <= now : CanMove(plan, report));

    /// <summary>Of a share that nobody tells anything about.</summary>
    private static bool CanMove(RolloutPlan plan, ShareReport report) =>
        plan.Waves.Zip(report.Waves).Any(pair => pair.First.IsOpen && pair.Second.Terminal < pair.Second.Members)
        || report.Waves.Any(wave => wave.InProgress > 0);

    private void Note(ShareOrders orders)
    {
        if (!orders.Equals(_orders))
        {
            _orders = orders;
            _ordersGiven++;
        }
    }

    private static bool IsGranted(SharePlan share) => share.Waves.Any(grant => grant.Outstanding > 0);
}
