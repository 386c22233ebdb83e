using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Serials;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Serials;
using Muster.Domain.Tenants;
using Muster.Domain.Transfers;
using Muster.Grains.Devices;
using Muster.Grains.Images;
using Muster.Grains.Rollouts;
using Muster.Grains.Serials;

namespace Muster.Grains.Transfers;

/// <summary>Takes a tenant's records out of a partition, and puts them into one.</summary>
[GrainType(GrainTypes.Transfer)]
internal sealed class TransferGrain(
    IRecordArchive archive,
    IFenceWriter fences,
    IImageVault vault,
    PartitionMap partitions,
    TenantDirectory tenants,
    TimeProvider clock)
    : Grain, ITransferGrain
{
    private int Partition => checked((int)this.GetPrimaryKeyLong());

    public async Task<RecordPage> ReadAsync(TenantId tenant, string kind, string after, DateTimeOffset? since)
    {
        var page = await archive.ReadAsync(Partition, kind, TenantRecords.KeysOf(kind, tenant), after, CancellationToken.None);
        return kind == GrainTypes.Key || since is not null
            ? page with { Records = [.. page.Records.Where(packed => IsWanted(archive.Unpack(packed), tenant, since))] }
            : page;
    }

    public async Task<bool> HasRecordsAsync(TenantId tenant)
    {
        foreach (var kind in TransferStep.All.Select(step => step.Kind).Distinct().Where(kind => kind != GrainTypes.Operator))
        {
            for (var next = ""; next is not null;)
            {
                var page = await ReadAsync(tenant, kind, next, since: null);
                if (!page.Records.IsEmpty)
                {
                    return true;
                }

                next = page.Next;
            }
        }

        return false;
    }

    public async Task<RecordsWritten> WriteAsync(WriteRecords command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var records = command.Records.Select(packed => Read(packed, command.IsWithoutRollouts)).ToArray();
        var wrong = records.Select(record => TenantRecords.Check(command.Tenant, Partition, partitions, record.Stored));
        if (wrong.FirstOrDefault(error => error is not null) is { } error)
        {
            return new RecordsWritten(0, [], error);
        }

        // The commits of one call leave together.
        var attachments = new CommitAttachments
        {
            Facts = [new RecordImported(command.Export)],
            Actor = command.Actor,
            At = clock.GetUtcNow(),
        };
        var left = await Task.WhenAll(records.Select(record => WriteAsync(record.Packed, record.Stored, attachments)));
        return new RecordsWritten(left.Count(why => why is null), [.. left.OfType<RecordLeft>()], null);
    }

    private (PackedRecord Packed, StoredRecord Stored) Read(PackedRecord packed, bool isWithoutRollouts)
    {
        var stored = archive.Unpack(packed);
        if (!isWithoutRollouts || stored.Record is not DeviceRecord { Device: { } device } record)
        {
            return (packed, stored);
        }

        var next = record with { Device = DeviceChanges.ForgetRollouts(device) };
        return (archive.Repack(packed, next), stored with { Record = next });
    }

    /// <summary>Null when it is there.</summary>
    private async Task<RecordLeft?> WriteAsync(PackedRecord packed, StoredRecord stored, CommitAttachments attachments)
    {
        if (stored.Record is KeyRecord { Owner: { } owner })
        {
            // Its grain writes it, and may have for its device a moment ago.
            return await GrainFactory.GetKey(stored.Key.Key).ClaimAsync(owner) is { } claimed
                ? new RecordLeft(packed.Key, claimed.Message)
                : null;
        }

        var (record, error) = await PrepareAsync(stored, attachments.Actor);
        if (error is not null)
        {
            return new RecordLeft(packed.Key, error.Message);
        }

        var next = ReferenceEquals(record, stored.Record) ? packed : archive.Repack(packed, record);
        var row = ((IListedRecord)record).ToRow(withCold: true);
        return await archive.WriteAsync(next, attachments with { Row = row, DueAt = stored.DueAt })
            ? null
            : new RecordLeft(packed.Key, "There is another already.");
    }

    private static bool IsWanted(StoredRecord record, TenantId tenant, DateTimeOffset? since) =>
        TenantRecords.Belongs(tenant, record)
        && (since is null || (record.Record is ImageRecord { Image: { } image } && image.CreatedAt >= since));

    /// <summary>What has to be so before the record is there, and what it says here.</summary>
    private async Task<(ICommitRecord Record, FleetError? Error)> PrepareAsync(StoredRecord stored, Actor actor)
    {
        switch (stored.Record)
        {
            case DeviceRecord { Device: { Identity: null } device } expected:
                return (expected, (await TenantSerials.ExpectAsync(GrainFactory, tenants, device.Tenant, device.Id, actor)).Error);
            case DeviceRecord { Device: { Identity: { } identity } device } proved:
                return (proved, await ClaimAsync(device, identity));
            case ImageRecord { Image: { State: not ImageState.Lost } image } kept:
                var (examined, refused) = await ExamineAsync(image);
                return (kept with { Image = examined }, refused);
            case RolloutRecord { Rollout: { Plan: { Shares.IsEmpty: false } plan } } started:
                // Its permits are good for this epoch only; where no fence is, that of 0 counts.
                var (tenant, rollout) = RolloutKey.Parse(stored.Key.Key);
                await fences.RaiseAsync(
                    [.. plan.Shares.Select(share => share.Partition)],
                    RolloutKey.FenceOf(tenant, rollout),
                    plan.Epoch,
                    CancellationToken.None);
                return (started, null);
            default:
                return (stored.Record, null);
        }
    }

    /// <summary>
    /// Serials are the installation's, and no export has them: what a tenant holds here is what its devices prove. The same for their
    /// keys: those of a tombstone of another identity do not come back in a file. All are asked first, so that a device that is left out
    /// for one takes no other with it.
    /// </summary>
    private async Task<FleetError?> ClaimAsync(Device device, DeviceIdentity identity)
    {
        var owner = new KeyOwner(identity.Profile, device.Tenant, device.Id);
        ImmutableArray<string> keys = [identity.KeySha256, .. device.Certificates.Select(certificate => certificate.Key.ToString())];
        return SerialRules.CheckProfile(identity)
            ?? await FirstAsync(keys, key => key.CheckAsync(owner))
            ?? await GrainFactory.GetSerial(device.Id).ClaimAsync(device.Tenant)
            ?? await FirstAsync(keys, key => key.ClaimAsync(owner));
    }

    private async Task<FleetError?> FirstAsync(ImmutableArray<string> keys, Func<IKeyGrain, Task<FleetError?>> ask)
    {
        foreach (var key in keys)
        {
            if (await ask(GrainFactory.GetKey(key)) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    /// <summary>This installation's trust decides, not the other's (I10), and what it found is what the record says here.</summary>
    private async Task<(Image Image, FleetError? Error)> ExamineAsync(Image image)
    {
        if (image.State == ImageState.Revoked)
        {
            // It was fenced where it comes from; here nothing is yet.
            await fences.RaiseAsync(
                [.. Enumerable.Range(0, partitions.Count)],
                ImageKey.FenceOf(image.Tenant, image.Digest.Value),
                ImageGrain.FenceOfRevoked,
                CancellationToken.None);
        }

        var verdict = await vault.ExamineAsync(image.Digest, image.Manifest.Format, image.Signature);
        var error = ImageRules.CheckContent(image.Digest, image.Manifest, verdict)
            ?? (await vault.PublishAsync(image.Digest) ? null : ImageErrors.NotUploaded(image.Digest));
        return (error is null ? ImageRules.Describe(image, verdict) : image, error);
    }
}
