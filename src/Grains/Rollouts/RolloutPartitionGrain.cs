using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// A rollout's share of one partition; the rules are <see cref="ShareRules"/>. Permits are committed before the first
/// device is asked, so a crash repeats offers and never makes more of them; an offer again is answered by the device.
/// </summary>
[GrainType(GrainTypes.RolloutPartition)]
internal sealed partial class RolloutPartitionGrain : Grain, IRolloutPartitionGrain
{
    private readonly IPersistentState<RolloutShareRecord> _record;
    private readonly StateWriter<RolloutShareRecord> _writer;
    private readonly IFeedReader _feed;
    private readonly FeedHold _hold;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly ILogger<RolloutPartitionGrain> _logger;
    private readonly TenantId _tenant;
    private readonly ResourceId _rollout;
    private readonly int _partition;
    private RolloutShare? _share;
    private MemberIndex? _members;

    public RolloutPartitionGrain(
        [PersistentState("rollout-share", StorageNames.Muster)] IPersistentState<RolloutShareRecord> record,
        IFeedReader feed,
        IDurableReaders readers,
        PartitionMap partitions,
        TimeProvider clock,
        ILogger<RolloutPartitionGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<RolloutShareRecord>(record, this);
        _feed = feed;
        _partitions = partitions;
        _clock = clock;
        _chosen = new ChosenImages(clock);
        _logger = logger;
        (_tenant, _rollout, _partition) = RolloutKey.ParseShare(this.GetPrimaryKeyString());
        _revoked = new RevokedImages(GrainFactory, _tenant, _rollout, logger);
        _hold = new FeedHold(readers, _partition, RolloutKey.ReaderOf(_tenant, _rollout));
    }

    private string FenceName => RolloutKey.FenceOf(_tenant, _rollout);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Load();
        return Task.CompletedTask;
    }

    public async Task<int> CountAsync(string filter)
    {
        var rows = await MatchingDevices.ReadAsync(GrainFactory.GetInventory(_partition), _tenant, filter);
        return rows.Count(MatchingDevices.IsEligible);
    }

    public async Task<MemberHistogram> FreezeAsync(FreezeMembers command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_share?.Freeze == command.Freeze)
        {
            return MemberHistogram.Of(_members!.Points) with { TakesJoiners = command.TakesJoiners, KnowsGroups = true };
        }

        // What happens after the head is read from the feed again; what happened before is in the rows. From now on it stays to be read.
        var end = await _feed.GetEndAsync(_partition, CancellationToken.None);
        await _hold.ResetAsync(end);
        var found = await FindMembersAsync(command);
        if (found.Points is not { } points || (points.IsEmpty && !command.TakesJoiners))
        {
            await _hold.LeaveAsync();
            return MemberHistogram.Empty with { IsTooFine = found.Points is null, Downgrades = found.Downgrades };
        }

        // Fenced at 0: once the rollout has started, a late freeze of a start that failed is refused by the store.
        await CommitAsync(
            ShareRules.Freeze(command.Freeze, end.Sequence, points.Length) with { PositionFingerprint = end.Fingerprint },
            new RolloutMembersFrozen(_rollout, _partition, points.Length),
            expectedEpoch: 0,
            ShareMembers.Of(points, command.Seed).With(found.Groups));
        Load();
        (_lookedUpTo, _lookedAt) = (end, _clock.GetUtcNow());
        (_countedAt, _isCounted) = (_lookedAt, true);

        // Of the rows that were frozen: who moves afterwards was where he was.
        return MemberHistogram.Of(points) with
        {
            Sites = found.Sites,
            Downgrades = found.Downgrades,
            TakesJoiners = command.TakesJoiners,
            KnowsGroups = true,
        };
    }

    public Task<ImmutableArray<MemberPoint>> GetBucketAsync(int bucket) => Task.FromResult<ImmutableArray<MemberPoint>>(
        _members is null ? [] : [.. _members.Points.Where(point => point.Bucket == bucket)]);

    public async Task<ShareReport> AdvanceAsync(AdvanceShare command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_share?.Freeze != command.Freeze || _members is null)
        {
            throw new InvalidOperationException($"Partition {_partition} has no members of this freeze of rollout '{_rollout}'.");
        }

        _members.Cut(command.Cuts);
        _share = ShareRules.Forgo(_share, command.Seen);
        _revoked.Add(command.RevokedSteps);
        await CheckImagesAsync();
        await ReadFeedAsync(command.Retries);
        await TurnRoundAsync(command);
        await LookForJoinersAsync(command);

        // Behind the feed: it may say that a member waits again of which the record does not know yet.
        if (NeedsReach(command))
        {
            await _members.RefreshReachAsync(GrainFactory.GetInventory(_partition), _rollout, _clock.GetUtcNow());
        }

        if (command.IsRollingBack == RollBackRules.HasBegun(_share))
        {
            // Not by an order of the way there that comes late: members have a turn of their own on the way back.
            await TimeOutUnreachedAsync(command);
        }

        await ClaimSeatsAsync(command);
        await ReturnSeatsAsync();
        var hasTaken = await TakePermitsAsync(command);
        await ReturnSeatsAsync();
        if (hasTaken || !_share.Open.IsEmpty)
        {
            await AskDevicesAsync(command);
            await ReadFeedAsync(command.Retries);
            await ReturnSeatsAsync();
        }

        await AwaitTurnsAsync(command);
        LookForSteps(command);

        // Whoever has just taken permits is asked with the next round: its coordinator has to hear what became of them.
        var quietUntil = hasTaken ? null : await ListenAsync(command);

        // The feed was read as far as its tail knows: the position is the version of these totals, also after a restart.
        return new ShareReport(
            _partition,
            ShareRules.ReportVersionOf(_share),
            ShareCount.Totals(
                _share, _members.Waves, ReachNow, command.Cuts.Length, command.Timers, _clock.GetUtcNow(), _stepsBefore))
        {
            IsRollingBack = RollBackRules.HasBegun(_share),
            JoiningHasEnded = _share.JoiningHasEnded,
            LeftOut = _isCounted ? _leftOut.Count : null,
            QuietUntil = quietUntil,
        };
    }

    private void Load()
    {
        _share = _record.State.Share;
        _members = _share is not null && _record.State.Members is { } members ? new MemberIndex(_tenant, members, _share.Joiners) : null;
        _seats = _record.State.Members?.Groups is { } groups ? new ShareSeats(_partition, groups.ToGroups()) : null;
    }

    /// <summary>
    /// Who waits in an open wave. On the way back also who is in progress, and in any wave: one opens and is judged with the same report,
    /// and to nobody who was not looked for yet anything could be offered.
    /// </summary>
    private bool NeedsReach(AdvanceShare command)
    {
        var isBack = RollBackRules.HasBegun(_share!);
        for (var i = 0; i < _share!.Members.Length; i++)
        {
            if (_share.Members[i] switch
            {
                MemberStatus.Waiting or MemberStatus.Retrying => isBack || command.OpenedAt[_members!.Waves[i]] is not null,
                MemberStatus.Offered => isBack,
                _ => false,
            })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Members that were not reached in their time; they may have been offered something before, or not.</summary>
    private async Task TimeOutUnreachedAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        var next = _share!;
        var facts = ImmutableArray.CreateBuilder<DomainEvent>();
        for (var i = 0; i < next.Members.Length; i++)
        {
            if (MemberTurns.IsOver(next, i, _members!.Reach[i], command.OpenedAt[_members.Waves[i]], command.Timers, now))
            {
                next = ShareRules.GiveUp(next, i, command.UndeliveredPolicy, now);
                facts.Add(GivenUp(i, command.UndeliveredPolicy));
            }
        }

        if (facts.Count > 0)
        {
            await CommitAsync(next, [.. facts], expectedEpoch: null, members: null);
        }
    }

    /// <summary>True when there were permits that this share had not seen.</summary>
    private async Task<bool> TakePermitsAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();

        // Asked again here: the grant may have been on its way when the window closed.
        var isOffering = command.IsOffering && OfferWindow.IsOpen(command.Windows, now) && KnowsBudgets(command);
        var grant = new PermitGrant(command.Granted, command.Epoch, isOffering, now);
        var next = ShareRules.TakePermits(_share!, grant, _members!.Waves, await SeatAsync(command, grant));
        if (next.Permits.SequenceEqual(_share!.Permits))
        {
            return false;
        }

        ImmutableArray<DeviceId> devices =
            [.. next.Open.Skip(_share.Open.Length).Select(offer => _members.Points[offer.Member].Device)];
        try
        {
            await CommitAsync(next, new RolloutPermitsTaken(_rollout, _partition, devices), command.Epoch);
        }
        catch (FenceRaisedException)
        {
            // The coordinator that sent this is no longer the one: its permits are void.
            LogFenced(_rollout.Value, _partition, command.Epoch);
            return false;
        }

        return true;
    }

    private Task CommitAsync(RolloutShare next, DomainEvent? fact, long? expectedEpoch = null, ShareMembers? members = null) =>
        CommitAsync(next, fact is null ? [] : [fact], expectedEpoch, members);

    private async Task CommitAsync(RolloutShare next, ImmutableArray<DomainEvent> facts, long? expectedEpoch, ShareMembers? members)
    {
        await _writer.CommitAsync(
            _record.State with { Share = next, Members = members ?? _record.State.Members },
            new CommitAttachments
            {
                Facts = facts,
                Actor = Actor.Rule($"rollouts.{_rollout}"),
                At = _clock.GetUtcNow(),
                Fences = expectedEpoch is { } epoch ? [new Fence(FenceName, epoch)] : [],
                ColdChanged = members is not null,
            });
        _share = next;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: permits of epoch {Epoch} in partition {Partition} are void")]
    private partial void LogFenced(string rolloutId, int partition, long epoch);
}
