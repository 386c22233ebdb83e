using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Strategies;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Devices that come to match after the freeze; the rules are <see cref="LateJoiners"/>. Where the share looked last is in memory only:
/// an activation reads all rows that match once, and whoever is no member then was not let in before, whatever was lost with the one before
/// it.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>
    /// Not longer than until a share is asked of which nothing is expected, every ten seconds. Who joins is in the last wave: they are
    /// nothing to him.
    /// </summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(9);

    /// <summary>People read the number; a count looks at every device of the partition.</summary>
    private static readonly TimeSpan CountInterval = TimeSpan.FromMinutes(1);

    /// <summary>Who matches, is in service and is no member: no more than the partition has devices.</summary>
    private readonly Dictionary<DeviceId, LeftOutReason> _leftOut = [];

    /// <summary>Null when all rows have to be read.</summary>
    private FeedPosition? _lookedUpTo;
    private DateTimeOffset _lookedAt = DateTimeOffset.MinValue;
    private DateTimeOffset? _countedAt;

    /// <summary>False until this activation has looked at all that match: what the plan knows stands until then.</summary>
    private bool _isCounted;

    /// <summary>Devices of which the feed says that they left service, while some are about to join.</summary>
    private HashSet<string>? _leaving;

    private async Task LookForJoinersAsync(AdvanceShare command)
    {
        if (command.Joiners is not { } search)
        {
            return;
        }

        if (search.Joining == Joining.Ended && LateJoiners.IsOpen(_share!))
        {
            await JoinAsync(command, [], isLast: true);
        }

        if (search.Joining is Joining.Open or Joining.Ending && LateJoiners.IsOpen(_share!))
        {
            await LookAsync(command, search, isLast: search.Joining == Joining.Ending);
        }
        else
        {
            await CountLeftOutAsync(search.Filter);
        }
    }

    /// <summary>When it is looked for them, or counted, again; the past while joining is about to end here.</summary>
    private DateTimeOffset? NextLookAt(AdvanceShare command) => command.Joiners switch
    {
        null => null,
        { Joining: Joining.Open } when LateJoiners.IsOpen(_share!) => _lookedAt + LookInterval,
        { Joining: Joining.Ending or Joining.Ended } when LateJoiners.IsOpen(_share!) => DateTimeOffset.MinValue,
        _ => _countedAt + CountInterval,
    };

    private async Task LookAsync(AdvanceShare command, SearchJoiners search, bool isLast)
    {
        var now = _clock.GetUtcNow();
        if (!isLast && now - _lookedAt < LookInterval)
        {
            return;
        }

        // The last look is at everybody who matches: also at whom only time or presence has made match.
        var since = isLast ? null : _lookedUpTo;
        (_lookedUpTo, _lookedAt, _isCounted) = (null, now, false);
        var (rows, next) = await FindAsync(search.Filter, since);
        if (await LetInAsync(command, search, rows, isLast))
        {
            _lookedUpTo = next;
        }

        _isCounted = true;
    }

    /// <summary>
    /// Nobody joins: names are all that has to be read. The shares of all rollouts come back together after a restart, and count one
    /// by one.
    /// </summary>
    private async Task CountLeftOutAsync(string filter)
    {
        var now = _clock.GetUtcNow();
        _countedAt ??= now - CountInterval + TimeSpan.FromSeconds(_partition % (int)CountInterval.TotalSeconds);
        if (now - _countedAt < CountInterval)
        {
            return;
        }

        (_countedAt, _lookedUpTo, _isCounted) = (now, null, false);
        var found = await MatchingDevices.ReadNamesAsync(GrainFactory.GetInventory(_partition), _tenant, filter);
        _leftOut.Clear();
        LeaveOut(found.Select(device => MatchingDevices.IdOf(device.Name)).Where(device => !_members!.Has(device)));
        _isCounted = true;
    }

    /// <summary>
    /// The rows of devices that match and are in service, of those that changed behind the position, or all; and where the next look
    /// begins. Who does not match any more is left out no more.
    /// </summary>
    private async Task<(List<ListedRow> Rows, FeedPosition Next)> FindAsync(string filter, FeedPosition? since)
    {
        var inventory = GrainFactory.GetInventory(_partition);
        var rows = new List<ListedRow>();
        while (since is { } after)
        {
            var query = new RowQuery(_tenant, GrainTypes.Device, filter, "", RowQuery.RowsLimit);
            if (await inventory.FindChangedAsync(query, after) is not { } page)
            {
                break;
            }

            var changed = page.Rows.Select(row => row.Row.Name).Concat(page.Others).ToHashSet(StringComparer.Ordinal);
            rows.RemoveAll(row => changed.Contains(row.Row.Name));
            rows.AddRange(page.Rows.Where(MatchingDevices.IsEligible));
            Forget(changed);
            if (page.IsAtEnd)
            {
                return (rows, page.Next);
            }

            since = page.Next;
        }

        // What changes while they are read is behind this, and looked at next.
        var position = new FeedPosition(_share!.Position, _share.PositionFingerprint);
        rows = await MatchingDevices.ReadAsync(inventory, _tenant, filter);
        rows.RemoveAll(row => !MatchingDevices.IsEligible(row));
        _leftOut.Clear();
        return (rows, position);
    }

    private void Forget(HashSet<string> changed)
    {
        foreach (var device in _leftOut.Keys.Where(device => changed.Contains(device.Value)).ToList())
        {
            _leftOut.Remove(device);
        }
    }

    /// <summary>False when it has to be looked once more, at all rows.</summary>
    private async Task<bool> LetInAsync(AdvanceShare command, SearchJoiners search, List<ListedRow> rows, bool isLast)
    {
        var found = rows.Where(row => !_members!.TryFind(row.Record.Key, out _))
            .ToDictionary(MatchingDevices.IdOf);
        var joining = await ChooseAsync(search, command.Seed, found);
        var (misses, isWhole) = (_share!.Misses, true);
        if (joining.Count > 0)
        {
            isWhole = await CatchUpAsync(command, joining) && _share.Misses == misses;
        }

        if (_share.Misses != misses)
        {
            // What became of them meanwhile is not known.
            return false;
        }

        if ((joining.Count > 0 || isLast) && !await JoinAsync(command, [.. joining], isLast && isWhole))
        {
            return false;
        }

        return isWhole;
    }

    private void LeaveOut(IEnumerable<DeviceId> devices)
    {
        foreach (var device in devices)
        {
            _leftOut[device] = _share!.JoiningHasEnded ? LeftOutReason.JoiningEnded : LeftOutReason.NotIncluded;
        }
    }

    /// <summary>Who may join, in the order of the rollout's members; the others are left out.</summary>
    private async Task<List<DeviceId>> ChooseAsync(SearchJoiners search, long seed, Dictionary<DeviceId, ListedRow> found)
    {
        if (found.Count == 0)
        {
            return [];
        }

        // As they are now, not as they were at the start: whoever changes them means devices, not rollouts.
        var rules = await GrainFactory.GetStrategySet(_tenant).GetSiteRulesAsync();
        var ruleOf = rules.ReadPatterns();
        var joining = new List<DeviceId>();
        foreach (var device in found.Keys.OrderBy(device => MemberPoint.Of(device, seed, connected: false).Hash)
            .ThenBy(device => device.Value, StringComparer.Ordinal))
        {
            if (ruleOf(((DeviceRow)found[device].Row).Site) is { } rule && !rules.Rules[rule].Takes(search.Strategy))
            {
                _leftOut[device] = LeftOutReason.StrategyRequired;
            }
            else if (search.DowngradesTo.Length > 0
                && ApprovalPolicy.MayBeDowngrade(((DeviceRow)found[device].Row).OsVersion, search.DowngradesTo))
            {
                _leftOut[device] = LeftOutReason.DowngradeNotApproved;
            }
            else if (joining.Count >= LateJoiners.RoomOf(_share!))
            {
                _leftOut[device] = LeftOutReason.TooMany;
            }
            else
            {
                joining.Add(device);
            }
        }

        return joining;
    }

    /// <summary>
    /// Rows are newer than the feed was read: read up to them first, or the share would take an old entry for the device's leaving. Who has
    /// left service in between waits for the next look; false when there is such a device.
    /// </summary>
    private async Task<bool> CatchUpAsync(AdvanceShare command, List<DeviceId> joining)
    {
        _leaving = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            await ReadFeedAsync(command.Retries);
            return joining.RemoveAll(device => _leaving.Contains(DeviceKey.Of(_tenant, device))) == 0;
        }
        finally
        {
            _leaving = null;
        }
    }

    private void NoteNotMember(DeviceChange change)
    {
        if (change.IsOutOfService)
        {
            _leaving?.Add(change.Record.Key);
        }
    }

    /// <summary>
    /// Committed before anybody is told of them, under the fence of the epoch: a coordinator that is none any more lets nobody in, and
    /// after a crash they are members, each once.
    /// </summary>
    private async Task<bool> JoinAsync(AdvanceShare command, ImmutableArray<DeviceId> devices, bool isLast)
    {
        var next = LateJoiners.Join(_share!, devices);
        next = isLast ? LateJoiners.End(next) : next;
        if (ReferenceEquals(next, _share))
        {
            return true;
        }

        try
        {
            await CommitAsync(
                next,
                devices.IsEmpty ? null : new RolloutMembersJoined(_rollout, _partition, devices),
                command.Epoch);
        }
        catch (FenceRaisedException)
        {
            LogFenced(_rollout.Value, _partition, command.Epoch);
            return false;
        }

        _members!.Join(devices);
        _members.Cut(command.Cuts);

        // The version of the totals is behind what changed them.
        await ReadFeedAsync(command.Retries);
        return true;
    }
}
