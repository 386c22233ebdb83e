using System.Collections.Immutable;
using Google.Protobuf;
using Grpc.Core;
using Muster.Artifacts;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Gateway.Grpc;
using Muster.Protocol;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Transfers;

/// <summary>One export: step by step, partition by partition, with a mark behind each that had something.</summary>
internal sealed class ExportRun(
    IGrainFactory grains,
    PartitionMap partitions,
    IArtifactStore artifacts,
    TenantId tenant,
    IServerStreamWriter<V1.ExportTenantResponse> responses)
{
    /// <summary>The only one there is.</summary>
    public const int Format = 1;

    /// <summary>A part of records: large enough for its overhead, small enough for every client's limit of 4 MiB.</summary>
    private const int RecordBytesPerPart = 512 * 1024;

    private const int ImageBytesPerPart = 256 * 1024;

    /// <summary>What the hosts' clocks may differ by, and far more: an image that comes twice is found again by the import.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    private readonly ExportChain _chain = new();
    private V1.ExportMark _mark = null!;

    /// <summary>Goes on behind the mark.</summary>
    public async Task RunAsync(V1.ExportMark mark, CancellationToken cancellationToken)
    {
        _mark = mark.Clone();
        _chain.Continue(_mark.Sha256.Span);
        if (_mark is { Step: 0, Partition: 0 })
        {
            await SendAsync(new V1.ExportPart { Header = Header() }, cancellationToken);
        }

        for (; _mark.Step < TransferStep.All.Length; _mark.Step++, _mark.Partition = 0)
        {
            while (_mark.Partition < partitions.Count)
            {
                var before = (_mark.Records, _mark.Images);
                await ExportAsync(TransferStep.All[_mark.Step], _mark.Partition, cancellationToken);
                _mark.Partition++;
                if (before != (_mark.Records, _mark.Images))
                {
                    await MarkAsync(cancellationToken);
                }
            }
        }

        (_mark.Step, _mark.IsEnd) = (0, true);
        await MarkAsync(cancellationToken);
    }

    private V1.ExportHeader Header() => new()
    {
        Format = Format,
        Export = _mark.Export,
        StartedAt = _mark.StartedAt,
        Tenant = ResourceNames.Of(tenant),
        Partitions = partitions.Count,
    };

    private async Task ExportAsync(TransferStep step, int partition, CancellationToken cancellationToken)
    {
        // A record may come on two pages, and a newer one the second time: an import would find the first in its way.
        var sent = new HashSet<RecordKey>();
        var since = step.IsLate ? _mark.StartedAt.ToDateTimeOffset() - ClockSlack : (DateTimeOffset?)null;
        for (var next = ""; next is not null;)
        {
            var page = await grains.GetTransfer(partition).ReadAsync(tenant, step.Kind, next, since).WaitAsync(cancellationToken);
            next = page.Next;
            ImmutableArray<PackedRecord> records = [.. page.Records.Where(record => sent.Add(record.Key))];
            if (step.Kind == GrainTypes.Image)
            {
                foreach (var image in records)
                {
                    await ExportImageAsync(image, cancellationToken);
                }
            }
            else
            {
                await ExportRecordsAsync(records, cancellationToken);
            }
        }
    }

    /// <summary>The bytes first: the record that says that they are servable has to find them.</summary>
    private async Task ExportImageAsync(PackedRecord record, CancellationToken cancellationToken)
    {
        var digest = ImageKey.Parse(record.Key.Key).Digest;
        await using var artifact = await artifacts.FindPublishedAsync(digest, cancellationToken);
        if (artifact is not null)
        {
            var content = await artifact.OpenAsync(0, artifact.Length, cancellationToken);
            var image = new V1.ExportedImage { Digest = digest.Value, SizeBytes = artifact.Length };
            await SendAsync(new V1.ExportPart { Image = image }, cancellationToken);
            var buffer = new byte[ImageBytesPerPart];
            for (int read; (read = await content.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken)) > 0;)
            {
                await SendAsync(new V1.ExportPart { ImageChunk = ByteString.CopyFrom(buffer, 0, read) }, cancellationToken);
            }

            _mark.Images++;
        }

        await ExportRecordsAsync([record], cancellationToken);
    }

    private async Task ExportRecordsAsync(ImmutableArray<PackedRecord> records, CancellationToken cancellationToken)
    {
        var (part, bytes) = (new V1.ExportedRecords(), 0);
        foreach (var record in records)
        {
            if (bytes > 0 && bytes + record.Bytes.Length + record.Cold.Length > RecordBytesPerPart)
            {
                await SendAsync(new V1.ExportPart { Records = part }, cancellationToken);
                (part, bytes) = (new V1.ExportedRecords(), 0);
            }

            bytes += record.Bytes.Length + record.Cold.Length;
            part.Records.Add(new V1.ExportedRecord
            {
                Key = record.Key.ToString(),
                Record = UnsafeByteOperations.UnsafeWrap(record.Bytes.AsMemory()),
                Cold = UnsafeByteOperations.UnsafeWrap(record.Cold.AsMemory()),
            });
        }

        if (bytes > 0)
        {
            await SendAsync(new V1.ExportPart { Records = part }, cancellationToken);
        }

        _mark.Records += records.Length;
    }

    private async Task MarkAsync(CancellationToken cancellationToken)
    {
        _mark.Sha256 = ByteString.CopyFrom(_chain.Value);
        await responses.WriteAsync(
            new V1.ExportTenantResponse { Part = new V1.ExportPart { Mark = _mark }.ToByteString() }, cancellationToken);
    }

    private async Task SendAsync(V1.ExportPart part, CancellationToken cancellationToken)
    {
        var bytes = part.ToByteString();
        _chain.Add(bytes.Span);
        await responses.WriteAsync(new V1.ExportTenantResponse { Part = bytes }, cancellationToken);
    }
}
