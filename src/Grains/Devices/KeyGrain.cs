using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Devices;

/// <summary>One public key: the first identity that claims it keeps it for ever, also as a tombstone (I5).</summary>
[GrainType(GrainTypes.Key)]
internal sealed class KeyGrain : Grain, IKeyGrain
{
    private readonly IPersistentState<KeyRecord> _record;
    private readonly StateWriter<KeyRecord> _writer;
    private readonly TimeProvider _clock;

    public KeyGrain([PersistentState("key", StorageNames.Muster)] IPersistentState<KeyRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<KeyRecord>(record, this);
        _clock = clock;
    }

    public async Task<FleetError?> ClaimAsync(KeyOwner owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (_record.State.Owner is null)
        {
            // The enrolment that follows is the fact; a claim alone is only a reservation that never lapses.
            await _writer.CommitAsync(
                _record.State with { Owner = owner },
                new CommitAttachments { Actor = Actor.Device(owner.Device.Value), At = _clock.GetUtcNow() });
        }

        // Asked again when the certificate is renewed, or never: a fleet that enrols leaves no keys in memory. One that is only asked
        // about stays, and refuses from memory.
        DeactivateOnIdle();
        return Judge(owner);
    }

    public Task<FleetError?> CheckAsync(KeyOwner owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return Task.FromResult(Judge(owner));
    }

    public Task<KeyOwner?> GetOwnerAsync()
    {
        // Asked for strangers that are refused: no activation stays behind.
        DeactivateOnIdle();
        return Task.FromResult(_record.State.Owner);
    }

    private FleetError? Judge(KeyOwner owner) =>
        _record.State.Owner is { } known && known != owner ? DeviceErrors.KeyClaimedByAnother(owner.Device) : null;
}

/// <summary>A key as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.key-record")]
internal sealed record KeyRecord : IGrainRecord<KeyRecord>
{
    /// <summary>Null before the first claim.</summary>
    [Id(0)] public KeyOwner? Owner { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public KeyRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
