using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that come to match, as the feed tells of them.</summary>
internal sealed partial class RolloutFleet
{
    private int _lastOfPartition = 0x800000;

    /// <summary>Happens once, between what a share has read of the feed and the rows that it is about to be told.</summary>
    public Dictionary<int, Action> BeforeRows { get; } = [];

    /// <summary>How often anybody asked what changed, in each partition.</summary>
    public Dictionary<int, int> RowsAsked { get; } = [];

    /// <summary>How often anybody asked for rows, whatever has changed.</summary>
    public int RowsListed { get; private set; }

    public int PartitionOf(string key) => partitions.OfDevice(key);

    /// <summary>A device that enters service at the site.</summary>
    public string Enter(string site)
    {
        var key = Add(site, 1)[0];
        Tell(key);
        return key;
    }

    /// <summary>The same of many in one partition.</summary>
    public ImmutableArray<string> Enter(string site, int partition, int count)
    {
        var keys = ImmutableArray.CreateBuilder<string>();
        lock (_gate)
        {
            while (keys.Count < count)
            {
                var id = DeviceId.TryParse($"B8A44F{_lastOfPartition++:X6}", out var parsed) ? parsed : throw new FormatException();
                var key = DeviceKey.Of(TenantId.Default, id);
                if (partitions.OfDevice(key) == partition)
                {
                    _units.Add(key, new Unit(id, site) { Online = true });
                    keys.Add(key);
                }
            }
        }

        foreach (var key in keys)
        {
            Tell(key);
        }

        return keys.ToImmutable();
    }

    /// <summary>The device is somewhere else from now on, and its record says so.</summary>
    public void MoveTo(string key, string site)
    {
        Move(key, site);
        Tell(key);
    }

    /// <summary>It is in service again.</summary>
    public void Release(string key)
    {
        lock (_gate)
        {
            _units[key].State = DeviceState.InService;
        }

        Tell(key);
    }

    public RowPage ListAsked(int partition, RowQuery query)
    {
        if (query.Kind == GrainTypes.Image)
        {
            return ListImages(partition, query);
        }

        lock (_gate)
        {
            RowsListed++;
        }

        return List(partition, query);
    }

    public async Task<ChangedMatches?> FindChangedAsync(int partition, RowQuery query, FeedPosition after)
    {
        if (BeforeRows.Remove(partition, out var happens))
        {
            happens();
        }

        lock (_gate)
        {
            RowsAsked[partition] = RowsAsked.GetValueOrDefault(partition) + 1;
        }

        var page = await Store.FollowAsync(partition, after, 512, CancellationToken.None);
        if (page.Continuity != FeedContinuity.Follows)
        {
            return null;
        }

        var changed = page.Entries.Where(entry => entry.Record.Kind == GrainTypes.Device)
            .Select(entry => DeviceKey.Parse(entry.Record.Key).Device.Value).ToHashSet();
        var matching = List(partition, query with { RowsMax = int.MaxValue, After = "" }).Rows
            .Where(row => changed.Contains(row.Row.Name)).ToImmutableArray();
        return new ChangedMatches(matching, [.. changed.Except(matching.Select(row => row.Row.Name))], page.Next, page.IsAtEnd);
    }

    /// <summary>A commit of the device that has nothing to do with any rollout of the test.</summary>
    private void Tell(string key)
    {
        lock (_gate)
        {
            Append(key, new ChangeDelivered(RolloutId("none"), 1), []);
        }
    }
}
