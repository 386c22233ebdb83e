using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices and inventories as a rollout sees them: an offer is a commit under the fence, an outcome a fact of the feed.</summary>
internal sealed partial class RolloutFleet(PartitionMap partitions, TimeProvider clock)
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

    /// <summary>When these devices named their generation.</summary>
    public Dictionary<string, DateTimeOffset> Delivered { get; } = [];

    /// <summary>When these devices were offered a change last.</summary>
    public Dictionary<string, DateTimeOffset> OfferedAt { get; } = [];

    /// <summary>Images that were revoked.</summary>
    public ConcurrentDictionary<string, bool> Revoked { get; } = new();

    /// <summary>As the image's grain does it: refused first, then fenced everywhere.</summary>
    public Task RevokeAsync(string digest)
    {
        Revoked[digest] = true;
        return Store.RaiseAsync(
            [.. Enumerable.Range(0, partitions.Count)], ImageKey.FenceOf(TenantId.Default, digest), 1, CancellationToken.None);
    }

    /// <summary>These devices say that the offer is not for them, and why.</summary>
    public Dictionary<string, string> Unfit { get; } = [];

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
    public int End(string site, ChangeOutcome outcome, int countMax = int.MaxValue, string reason = "")
    {
        lock (_gate)
        {
            var ended = _units.Where(unit => unit.Value.Site == site && unit.Value.Change is not null).Take(countMax).ToList();
            foreach (var (key, unit) in ended)
            {
                Close(key, unit, outcome, reason);
            }

            return ended.Count;
        }
    }

    /// <summary>The device ends its change, if it has one.</summary>
    public void EndOne(string key, ChangeOutcome outcome, string reason = "")
    {
        lock (_gate)
        {
            if (_units[key].Change is not null)
            {
                Close(key, _units[key], outcome, reason);
            }
        }
    }

    /// <summary>The device is somewhere else from now on.</summary>
    public void Move(string key, string site)
    {
        lock (_gate)
        {
            _units[key].Site = site;
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

            if (unit.Change is null
                && unit.Last is { } last
                && last.Rollout == command.Rollout
                && WayBack.Is(last.Retry) == WayBack.Is(command.Retry)
                && last is { Reason: not OfferHandover.Reason, Outcome: not ChangeOutcome.StepTaken }
                && (last.Retry >= command.Retry || !FinalReasons.MayRetry(last.Outcome, last.Reason)))
            {
                return Closed(last);
            }

            if (unit.Change is null && RefusalOf(key, unit, command) is { } refusal)
            {
                return refusal;
            }

            if (unit.Change is null)
            {
                if (!unit.Online)
                {
                    return new OfferReply(OfferStatus.WaitingOffline, default, "", null) { Generation = unit.Generation };
                }

                try
                {
                    AppendOffer(key, unit, command);
                }
                catch (FenceRaisedException)
                {
                    return new OfferReply(OfferStatus.Fenced, default, "", null);
                }

                (unit.Change, unit.Retry, unit.Generation) = (command.Rollout, command.Retry, unit.Generation + 2);
                Tell(key, unit, command);
                unit.Offers++;
                Offers.Enqueue(command);
                OfferedAt[key] = command.FirstOfferedAt ?? clock.GetUtcNow();
                CountInProgress(unit);
            }

            return Deaf.Remove(key)
                ? throw new StoreUnavailableException("The answer is lost on purpose.")
                : Open(unit);
        }
    }

    /// <summary>What the device would answer; null for one that there is not.</summary>
    public OfferPreview? Preview(string key, OfferChange command)
    {
        lock (_gate)
        {
            if (!_units.TryGetValue(key, out var unit))
            {
                return null;
            }

            if (unit.Change == command.Rollout)
            {
                return new OfferPreview
                {
                    Verdict = OfferVerdict.InProgress,
                    WouldOffer = false,
                    Retry = unit.Retry,
                    OfferedAt = OfferedAt[key],
                    DeliveredAt = Delivered.TryGetValue(key, out var at) ? at : null,
                    Step = ChangeStep.Downloading,
                };
            }

            var ended = unit.Last is { } last && last.Rollout == command.Rollout && last.Retry >= command.Retry ? last : null;
            return new OfferPreview
            {
                Verdict = ended is null && !Unfit.ContainsKey(key) ? OfferVerdict.InProgress : OfferVerdict.Closed,
                WouldOffer = ended is null && !Unfit.ContainsKey(key),
                Outcome = ended?.Outcome ?? ChangeOutcome.Skipped,
                Reason = ended?.Reason ?? Unfit.GetValueOrDefault(key, ""),
                EndedAt = ended?.ClosedAt,
                Retry = ended?.Retry ?? 0,
            };
        }
    }

    public OfferReply Expire(string key, ExpireChange command)
    {
        lock (_gate)
        {
            var unit = _units[key];
            if (Dead.Contains(key))
            {
                DeadAsked++;
                throw new StoreUnavailableException("The device's record cannot be read, on purpose.");
            }

            if (unit.Change is null && (unit.Last is null || WayBack.Is(unit.Last.Retry) != WayBack.Is(command.Retry)))
            {
                return new OfferReply(OfferStatus.Closed, ChangeOutcome.Withdrawn, "NEVER_OFFERED", null);
            }

            if (unit.Change == command.Rollout)
            {
                var isDelivered = Delivered.ContainsKey(key);
                if (!command.IsCancelled && !IsOver(key, command))
                {
                    return Open(unit) with { DeliveredAt = isDelivered ? Delivered[key] : null };
                }

                Close(
                    key,
                    unit,
                    ChangeTimers.OutcomeOf(isDelivered ? command.InProgressPolicy : command.UndeliveredPolicy),
                    isDelivered ? ChangeTimers.ChangeTimedOut : ChangeTimers.OfferUndelivered);
            }

            return Closed(unit.Last!);
        }
    }

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
            return new RowPage([.. rows.Take(query.RowsMax).Select(WithoutSettings)], rows.Length <= query.RowsMax, null);
        }
    }

    /// <summary>The device is told of the change, so that it is in progress from now on.</summary>
    public void Deliver(string key)
    {
        lock (_gate)
        {
            var unit = _units[key];
            Delivered[key] = clock.GetUtcNow();
            Append(key, new ChangeDelivered(unit.Change!.Value, unit.Generation) { Retry = unit.Retry }, []);
        }
    }

    private static OfferReply Closed(ClosedChange last) => new(OfferStatus.Closed, last.Outcome, last.Reason, null)
    {
        Retry = last.Retry,
        EndedAt = last.ClosedAt,
        Generation = last.Generation,
    };

    private void Close(string key, Unit unit, ChangeOutcome confirmed, string reason = "")
    {
        var outcome = Confirm(key, unit, confirmed);
        unit.Last = new ClosedChange(unit.Change!.Value, unit.Generation, outcome, reason, clock.GetUtcNow(), "") { Retry = unit.Retry };
        Append(key, new ChangeClosed(unit.Change.Value, unit.Generation, outcome, reason) { Retry = unit.Retry }, []);
        unit.Change = null;
        unit.Running = outcome is ChangeOutcome.Succeeded or ChangeOutcome.StepTaken ? unit.Target : unit.Running;
        Delivered.Remove(key);
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
        Model = unit.Model,
        Site = unit.Site,
        Labels = unit.Labels,
        Settings = unit.Settings,
        Track = "active",
        OsVersion = unit.OsVersion,
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

        public string Site { get; set; } = site;

        public bool Online { get; set; }

        public string Model { get; set; } = "P3265-V";

        public string OsVersion { get; set; } = "12.0.0";

        public ImmutableArray<DeviceLabel> Labels { get; set; } = [];

        public SettingSet? Settings { get; set; }

        public DeviceState State { get; set; } = DeviceState.InService;

        public ResourceId? Change { get; set; }

        public ClosedChange? Last { get; set; }

        public int Offers { get; set; }

        public int Retry { get; set; }

        /// <summary>Of the last offer.</summary>
        public long Generation { get; set; }

        public string Running { get; set; } = new('9', 64);

        /// <summary>What the last offer was of.</summary>
        public string Target { get; set; } = "";

        /// <summary>The step that the last offer was of; null of the rollout's own image.</summary>
        public string? Step { get; set; }

        /// <summary>What it ran before the last offer.</summary>
        public string Previous { get; set; } = "";
    }
}
