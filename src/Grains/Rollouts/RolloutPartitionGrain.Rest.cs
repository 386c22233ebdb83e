using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// The rest of a rollout that has ended, as its share keeps it, and as the share of the rollout that retries it asks for it: each of its
/// own partition, so that no message is as large as the fleet.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    public Task<RestPage> ListRestAsync(ListRest query)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (_share is not { } share || share.Freeze != query.Freeze || _members is not { } members)
        {
            return Task.FromResult(new RestPage(IsKnown: false, [], null));
        }

        var (page, next) = RestRules.Page(share, query.From, RestPage.DevicesMax);
        return Task.FromResult(new RestPage(IsKnown: true, [.. page.Select(member => members.Points[member].Device)], next));
    }

    public async Task<RestCount> CountRestAsync(FreezeMembers command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var rest = command.Retried is { } retried ? await ReadRestAsync(retried) : [];
        if (rest is null)
        {
            return new RestCount(IsKnown: false, []);
        }

        var rows = await MatchingDevices.ReadAsync(GrainFactory.GetInventory(_partition), _tenant, command.Filter);
        return new RestCount(IsKnown: true, ImageCount.Top(rows
            .Where(row => MatchingMembers.IsLookedFor(row, rest))
            .Select(row => new ImageCount(((DeviceRow)row.Row).ImageDigest, 1))));
    }

    public async Task SettleAsync(SettleShare command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_share?.Freeze != command.Freeze || _members is null)
        {
            throw new InvalidOperationException($"Partition {_partition} has no members of this freeze of rollout '{_rollout}'.");
        }

        _members.Cut(command.Cuts);
        await ReadFeedAsync(command.Retries);
        if (_share is { HasMissed: true, Open.IsEmpty: false })
        {
            // Who had a permit is asked with the next report, which the coordinator wants now.
            throw new InvalidOperationException($"Partition {_partition} does not know how the members of rollout '{_rollout}' ended.");
        }

        var stored = _record.State.Share!;
        if (!_share.Members.SequenceEqual(stored.Members) || !_share.Ends.AsSpan().SequenceEqual(stored.Ends.AsSpan()))
        {
            await CommitAsync(_share, fact: null);
        }

        // Nobody asks for a seat any more. What is not given back now stays in a record that is kept anyway.
        await ReturnSeatsAsync();
    }

    /// <summary>Who is to be frozen now.</summary>
    private async Task<FoundMembers> FindMembersAsync(FreezeMembers command)
    {
        var rest = command.Retried is not { } retried
            ? null
            : await ReadRestAsync(retried)
                ?? throw new InvalidOperationException($"How the members of rollout '{retried.Rollout}' ended is not known any more.");
        return await MatchingMembers.ReadAsync(GrainFactory.GetInventory(_partition), _tenant, command, rest, _clock.GetUtcNow());
    }

    /// <summary>Null when it is gone.</summary>
    private async Task<HashSet<DeviceId>?> ReadRestAsync(RetriedMembers retried)
    {
        var share = GrainFactory.GetRolloutPartition(_tenant, retried.Rollout, _partition);
        var rest = new HashSet<DeviceId>();
        for (int? from = 0; from is { } place;)
        {
            var page = await share.ListRestAsync(new ListRest(retried.Freeze, place));
            if (!page.IsKnown)
            {
                return null;
            }

            rest.UnionWith(page.Devices);
            from = page.Next;
        }

        return rest;
    }
}
