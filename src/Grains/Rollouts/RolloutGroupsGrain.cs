using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// The seats of a bucket of groups; the rules are <see cref="GroupRules"/>. A seat whose return was lost, or whose share crashed before it
/// could use it, is found when somebody else is refused: the share that it belongs to is asked then.
/// </summary>
[GrainType(GrainTypes.RolloutGroups)]
internal sealed partial class RolloutGroupsGrain : Grain, IRolloutGroupsGrain
{
    private readonly IPersistentState<RolloutGroupsRecord> _record;
    private readonly StateWriter<RolloutGroupsRecord> _writer;
    private readonly TimeProvider _clock;
    private readonly ILogger<RolloutGroupsGrain> _logger;
    private readonly TenantId _tenant;
    private readonly ResourceId _rollout;
    private readonly GroupSizes _sizes = new();

    /// <summary>When their shares were asked about seats, by number.</summary>
    private readonly Dictionary<long, DateTimeOffset> _askedAt = [];
    private IGrainTimer? _asking;

    public RolloutGroupsGrain(
        [PersistentState("rollout-groups", StorageNames.Muster)] IPersistentState<RolloutGroupsRecord> record,
        TimeProvider clock,
        ILogger<RolloutGroupsGrain> logger)
    {
        _record = record;
        _writer = new StateWriter<RolloutGroupsRecord>(record, this);
        _clock = clock;
        _logger = logger;
        (_tenant, _rollout, _) = RolloutKey.ParseShare(this.GetPrimaryKeyString());
    }

    public async Task<ImmutableArray<SeatsTaken>> TakeAsync(TakeSeats command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var next = BucketOf(command.Freeze);
        if (next.Freeze != _record.State.Bucket.Freeze)
        {
            _sizes.Clear();
        }

        var answers = ImmutableArray.CreateBuilder<SeatsTaken>(command.Wants.Length);
        var refused = new List<GroupName>();
        foreach (var want in command.Wants)
        {
            var known = _sizes.Tell(want.Group, command.Partition, want.MembersHere);
            (next, var taken) = GroupRules.Take(next, command.Partition, want, known, now);
            answers.Add(new SeatsTaken(taken));
            if (taken.Length < want.Members.Length)
            {
                refused.Add(want.Group);
            }
        }

        await CommitAsync(next, now);
        Doubt(refused, now);
        return answers.MoveToImmutable();
    }

    public Task ReturnAsync(ReturnSeats command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var bucket = _record.State.Bucket;
        return bucket.Freeze == command.Freeze
            ? CommitAsync(GroupRules.Return(bucket, command.Partition, command.Seats), _clock.GetUtcNow())
            : Task.CompletedTask;
    }

    /// <summary>Members of another freeze are other members: a store that went back let the rollout start anew.</summary>
    private GroupBucket BucketOf(Guid freeze)
    {
        var bucket = _record.State.Bucket;
        return bucket.Freeze == freeze ? bucket : new GroupBucket { Freeze = freeze, LastNumber = bucket.LastNumber };
    }

    private async Task CommitAsync(GroupBucket next, DateTimeOffset now)
    {
        if (next.Equals(_record.State.Bucket))
        {
            return;
        }

        await _writer.CommitAsync(
            _record.State with { Bucket = next },
            new CommitAttachments { Facts = [], Actor = Actor.Rule($"rollouts.{_rollout}"), At = now });
        if (_askedAt.Count == 0)
        {
            return;
        }

        var taken = next.Groups.SelectMany(group => group.Seats).Select(seat => seat.Number).ToHashSet();
        foreach (var gone in _askedAt.Keys.Where(number => !taken.Contains(number)).ToList())
        {
            _askedAt.Remove(gone);
        }
    }

    /// <summary>Somebody was refused: those who have had their seats for a while are asked whether they still need them.</summary>
    private void Doubt(List<GroupName> refused, DateTimeOffset now)
    {
        if (_asking is not null)
        {
            return;
        }

        var doubtful = refused.SelectMany(group => _record.State.Bucket.SeatsOf(group).Select(seat => (Group: group, Seat: seat)))
            .Where(one => _askedAt.GetValueOrDefault(one.Seat.Number, one.Seat.TakenAt) + GroupRules.DoubtAfter <= now)
            .ToLookup(one => one.Seat.Partition);
        if (doubtful.Count > 0)
        {
            // Interleaves, or the share would wait for this grain and this grain for the share. It changes nothing but when shares were
            // asked: what they answer is a call like any other.
            _asking = this.RegisterGrainTimer(
                _ => AskSharesAsync(doubtful),
                new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { Interleave = true });
        }
    }

    private async Task AskSharesAsync(ILookup<int, (GroupName Group, Seat Seat)> doubtful)
    {
        try
        {
            foreach (var chunk in doubtful.Chunk(RolloutFreeze.FanOutMax))
            {
                await Task.WhenAll(chunk.Select(seats => AskShareAsync(seats.Key, [.. seats])));
            }
        }
        finally
        {
            _asking?.Dispose();
            _asking = null;
        }
    }

    private async Task AskShareAsync(int partition, ImmutableArray<(GroupName Group, Seat Seat)> seats)
    {
        var now = _clock.GetUtcNow();
        foreach (var seat in seats)
        {
            _askedAt[seat.Seat.Number] = now;
        }

        try
        {
            var freeze = _record.State.Bucket.Freeze;
            var unseated = await GrainFactory.GetRolloutPartition(_tenant, _rollout, partition)
                .ListUnseatedAsync(new ListUnseated(freeze, [.. seats.Select(seat => seat.Seat.Member)]));
            ImmutableArray<SeatReturn> returned =
            [
                .. seats.Where(seat => unseated.Contains(seat.Seat.Member))
                    .Select(seat => new SeatReturn(seat.Group, seat.Seat.Member, seat.Seat.Number)),
            ];
            if (!returned.IsEmpty)
            {
                await this.AsReference<IRolloutGroupsGrain>().ReturnAsync(new ReturnSeats(freeze, partition, returned));
            }
        }
        catch (Exception fault)
        {
            // Who does not answer keeps its seats: too few are in progress then, never too many.
            LogSilent(fault, _rollout.Value, partition);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Rollout {RolloutId}: partition {Partition} does not say which seats its members need")]
    private partial void LogSilent(Exception fault, string rolloutId, int partition);
}
