using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Serials;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
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
        if (await PrepareAsync(stored, attachments.Actor) is { } error)
        {
            return new RecordLeft(packed.Key, error.Message);
        }

        var row = ((IListedRecord)stored.Record).ToRow(withCold: true);
        return await archive.WriteAsync(packed, attachments with { Row = row, DueAt = stored.DueAt })
            ? null
            : new RecordLeft(packed.Key, "There is another already.");
    }

    private static bool IsWanted(StoredRecord record, TenantId tenant, DateTimeOffset? since) =>
        TenantRecords.Belongs(tenant, record)
        && (since is null || (record.Record is ImageRecord { Image: { } image } && image.CreatedAt >= since));

    /// <summary>What has to be so before the record is there.</summary>
    private async Task<FleetError?> PrepareAsync(StoredRecord stored, Actor actor)
    {
        switch (stored.Record)
        {
            case DeviceRecord { Device: { Identity: null } device }:
                return (await TenantSerials.ExpectAsync(GrainFactory, tenants, device.Tenant, device.Id, actor)).Error;
            case DeviceRecord { Device: { } device }:
                // Serials are the installation's, and no export has them: what a tenant holds here is what its devices prove.
                return await GrainFactory.GetSerial(device.Id).ClaimAsync(device.Tenant);
            case ImageRecord { Image: { State: not ImageState.Lost } image }:
                // This installation's trust decides, not the other's (I10).
                var verdict = await vault.ExamineAsync(image.Digest, image.Signature);
                return verdict.Error ?? (await vault.PublishAsync(image.Digest) ? null : ImageErrors.NotUploaded(image.Digest));
            case RolloutRecord { Rollout: { Plan: { Shares.IsEmpty: false } plan } }:
                // Its permits are good for this epoch only; where no fence is, that of 0 counts.
                var (tenant, rollout) = RolloutKey.Parse(stored.Key.Key);
                await fences.RaiseAsync(
                    [.. plan.Shares.Select(share => share.Partition)],
                    RolloutKey.FenceOf(tenant, rollout),
                    plan.Epoch,
                    CancellationToken.None);
                return null;
            default:
                return null;
        }
    }
}
