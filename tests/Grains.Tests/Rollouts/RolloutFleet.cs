using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices and inventories as a rollout sees them: an offer is a commit under the fence, an outcome a fact of the feed.</summary>
internal sealed class RolloutFleet(PartitionMap partitions, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Unit> _units = [];

    /// <summary>Set by the silo.</summary>
    public MemoryStore Store { get; set; } = null!;

    /// <summary>Offers to these devices end with a fault after the commit: nobody knows what became of them.</summary>
    public HashSet<string> Deaf { get; } = [];

    /// <summary>Offers to these devices end with a fault before anything is committed.</summary>
    public HashSet<string> Dead { get; } = [];

    /// <summary>The next offers to these devices wait for this before anything else.</summary>
    public Dictionary<string, Func<Task>> Held { get; } = [];

    /// <summary>The most devices that were in progress at a time, by site.</summary>
    public Dictionary<string, int> InProgressMax { get; } = [];

    public ImmutableArray<string> Add(string site, int count, bool online = true)
    {
        lock (_gate)
        {
            var keys = ImmutableArray.CreateBuilder<string>();
            for (var i = 0; i < count; i++)
            {
                var id = DeviceId.TryParse($"B8A44F{_units.Count + 1:X6}", out var parsed) ? parsed : throw new FormatException();
                var key = DeviceKey.Of(TenantId.Default, id);
                _units.Add(key, new Unit(id, site) { Online = online });
                keys.Add(key);
            }

            return keys.ToImmutable();
        }
    }

    /// <summary>Where the site's devices are.</summary>
    public ImmutableArray<int> PartitionsOf(string site)
    {
        lock (_gate)
        {
            return [.. _units.Where(unit => unit.Value.Site == site).Select(unit => partitions.OfDevice(unit.Key)).Distinct().Order()];
        }
    }

    public void SetOnline(string key, bool online)
    {
        lock (_gate)
        {
            _units[key].Online = online;
        }
    }

    public ImmutableArray<string> Offered(string site)
    {
        lock (_gate)
        {
            return [.. _units.Where(unit => unit.Value.Site == site && unit.Value.Offers > 0).Select(unit => unit.Key)];
        }
    }

    public int OffersOf(string key)
    {
        lock (_gate)
        {
            return _units[key].Offers;
        }
    }

    /// <summary>The devices of the site that are in progress end so; returns how many.</summary>
    public int End(string site, ChangeOutcome outcome, int countMax = int.MaxValue)
    {
        lock (_gate)
        {
            var ended = _units.Where(unit => unit.Value.Site == site && unit.Value.Change is not null).Take(countMax).ToList();
            foreach (var (key, unit) in ended)
            {
                Close(key, unit, outcome);
            }

            return ended.Count;
        }
    }

    public void Quarantine(string key)
    {
        lock (_gate)
        {
            _units[key].State = DeviceState.Quarantined;
            Append(key, new ChangeDelivered(RolloutId("none"), 1), []);
        }
    }

    public async Task<OfferReply> OfferAsync(string key, OfferChange command)
    {
        if (Held.Remove(key, out var hold))
        {
            await hold();
        }

        return Offer(key, command);
    }

    private OfferReply Offer(string key, OfferChange command)
    {
        lock (_gate)
        {
            var unit = _units[key];
            if (Dead.Contains(key))
            {
                throw new StoreUnavailableException("The device's record cannot be read, on purpose.");
            }

            if (unit.Last is { } last && last.Rollout == command.Rollout)
            {
                return new OfferReply(OfferStatus.Closed, last.Outcome, "", null);
            }

            if (unit.Change is null)
            {
                if (!unit.Online)
                {
                    return new OfferReply(OfferStatus.WaitingOffline, default, "", null);
                }

                try
                {
                    var fence = RolloutKey.FenceOf(TenantId.Default, command.Rollout);
                    var fact = new ChangeOffered(command.Rollout, command.Epoch, 1, command.Target.Digest);
                    Append(key, fact, [new Fence(fence, command.Epoch)]);
                }
                catch (FenceRaisedException)
                {
                    return new OfferReply(OfferStatus.Fenced, default, "", null);
                }

                unit.Change = command.Rollout;
                unit.Offers++;
                var inProgress = _units.Values.Count(other => other.Site == unit.Site && other.Change is not null);
                InProgressMax[unit.Site] = Math.Max(InProgressMax.GetValueOrDefault(unit.Site), inProgress);
            }

            return Deaf.Remove(key)
                ? throw new StoreUnavailableException("The answer is lost on purpose.")
                : new OfferReply(OfferStatus.Offered, default, "", null);
        }
    }

    public OfferReply Expire(string key, ExpireChange command)
    {
        lock (_gate)
        {
            var unit = _units[key];
            if (unit.Change == command.Rollout)
            {
                Close(key, unit, ChangeOutcome.TimedOut);
            }

            return new OfferReply(OfferStatus.Closed, unit.Last!.Outcome, "", null);
        }
    }

    /// <summary>What the partition's tail hands on.</summary>
    public async Task<TailPage> FollowAsync(int partition, FeedPosition after) =>
        TailRing.PageOf(await Store.FollowAsync(partition, after, 512, CancellationToken.None));

    public RowPage List(int partition, RowQuery query)
    {
        lock (_gate)
        {
            var (filter, error) = InventoryFilter.Parse(query.Filter, InventoryFields.Device);
            Assert.Null(error);
            var rows = _units
                .Where(unit => partitions.OfDevice(unit.Key) == partition && string.CompareOrdinal(unit.Value.Id.Value, query.After) > 0)
                .OrderBy(unit => unit.Value.Id.Value, StringComparer.Ordinal)
                .Select(unit => new ListedRow(
                    new RecordKey(GrainTypes.Device, unit.Key),
                    1,
                    RowOf(unit.Value),
                    new DevicePresence(unit.Value.Online, clock.GetUtcNow(), 1, "g", null, null)))
                .Where(row => filter.Matches(row, clock.GetUtcNow()))
                .ToArray();
            return new RowPage([.. rows.Take(query.RowsMax)], rows.Length <= query.RowsMax, null);
        }
    }

    private void Close(string key, Unit unit, ChangeOutcome outcome)
    {
        unit.Last = new ClosedChange(unit.Change!.Value, 1, outcome, "", clock.GetUtcNow(), "");
        Append(key, new ChangeClosed(unit.Change.Value, 1, outcome, ""), []);
        unit.Change = null;
    }

    private void Append(string key, DomainEvent fact, ImmutableArray<Fence> fences) => Store.Append(
        new RecordKey(GrainTypes.Device, key),
        new CommitAttachments { Facts = [fact], At = clock.GetUtcNow(), Fences = fences, Row = RowOf(_units[key]) });

    private static ResourceId RolloutId(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException();

    private static DeviceRow RowOf(Unit unit) => new()
    {
        Tenant = TenantId.Default,
        Name = unit.Id.Value,
        State = unit.State,
        Model = "P3265-V",
        Site = unit.Site,
        Track = "active",
        OsVersion = "12.0.0",
        ImageDigest = "",
        BootId = "",
        Compliance = ComplianceState.Unspecified,
        Generation = 1,
        Rollout = unit.Change?.Value ?? "",
        StateChangedAt = default,
    };

    private sealed class Unit(DeviceId id, string site)
    {
        public DeviceId Id => id;

        public string Site => site;

        public bool Online { get; set; }

        public DeviceState State { get; set; } = DeviceState.InService;

        public ResourceId? Change { get; set; }

        public ClosedChange? Last { get; set; }

        public int Offers { get; set; }
    }
}
