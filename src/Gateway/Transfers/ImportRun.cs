using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using Muster.Artifacts;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Transfers;
using Muster.Gateway.Grpc;
using Muster.Protocol;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Transfers;

/// <summary>One import: part by part, in the order of the export.</summary>
internal sealed class ImportRun(
    IGrainFactory grains,
    PartitionMap partitions,
    IArtifactStore artifacts,
    Caller caller,
    IAsyncStreamReader<V1.ImportTenantRequest> requests,
    IServerStreamWriter<V1.ImportTenantResponse> responses)
{
    private const int ExamplesMax = 20;

    private readonly ExportChain _chain = new();
    private readonly V1.ImportTenantResponse _progress = new();
    private Guid _export;
    private bool _isWithoutRollouts;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        while (!_progress.Complete)
        {
            var part = await NextAsync(cancellationToken);
            switch (part.PartCase)
            {
                case V1.ExportPart.PartOneofCase.Records:
                    await WriteAsync(part.Records);
                    break;
                case V1.ExportPart.PartOneofCase.Image:
                    await StageAsync(part.Image, cancellationToken);
                    break;
                case V1.ExportPart.PartOneofCase.Mark:
                    await AnswerAsync(part.Mark, cancellationToken);
                    break;
                default:
                    throw Invalid($"a part '{part.PartCase}' has no place there");
            }
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if ((await NextAsync(cancellationToken)).Header is not { } header || !Guid.TryParse(header.Export, out _export))
        {
            throw Invalid("it does not begin with a header");
        }

        _isWithoutRollouts = requests.Current.WithoutRollouts;
        if (header.Format != ExportRun.Format)
        {
            throw Invalid($"its format is {header.Format}, and this version reads {ExportRun.Format}");
        }

        if (header.Tenant != ResourceNames.Of(caller.Tenant))
        {
            throw Invalid($"it is of '{header.Tenant}', and the caller belongs to '{ResourceNames.Of(caller.Tenant)}'");
        }

        if (header.Partitions != partitions.Count && !_isWithoutRollouts)
        {
            throw Invalid(
                $"it has {header.Partitions} partitions, to which its rollouts are bound, and this installation {partitions.Count}; "
                + "leave the rollouts out");
        }

        Refuse(await grains.GetTenantImport(caller.Tenant).BeginAsync(caller.Actor, _export, _isWithoutRollouts));
    }

    private async Task WriteAsync(V1.ExportedRecords part)
    {
        var records = part.Records.Select(Unwrap).Where(record => !_isWithoutRollouts || !IsOfRollout(record.Key.Kind)).ToArray();
        foreach (var group in records.GroupBy(record => PartitionOf(record.Key)))
        {
            var command = new WriteRecords(caller.Actor, caller.Tenant, _export, [.. group]) { IsWithoutRollouts = _isWithoutRollouts };
            var reply = await grains.GetTransfer(group.Key).WriteAsync(command);
            Refuse(reply.Error);
            Count(reply);
        }
    }

    private void Count(RecordsWritten reply)
    {
        var left = reply.Left.Where(record => record.Key.Kind != GrainTypes.Operator).ToArray();
        _progress.Written += reply.Written;
        _progress.Left += left.Length;
        _progress.OperatorsKept += reply.Left.Length - left.Length;
        _progress.Examples.Add(left.Take(ExamplesMax - _progress.Examples.Count).Select(record => $"{record.Key}: {record.Why}"));
    }

    private async Task StageAsync(V1.ExportedImage image, CancellationToken cancellationToken)
    {
        if (!ImageDigest.TryParse(image.Digest, out var digest) || image.SizeBytes is < 1 or > ImageManifest.SizeBytesMax)
        {
            throw Invalid($"'{image.Digest}' with {image.SizeBytes} bytes is no image");
        }

        var staged = await artifacts.StageAsync(ChunksAsync(image.SizeBytes, cancellationToken), image.SizeBytes, cancellationToken);
        Refuse(staged.Error);
        if (staged.Content?.Digest != digest)
        {
            throw Invalid($"the bytes of the image '{digest}' are others");
        }

        _progress.Images++;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(
        long bytes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (bytes > 0)
        {
            var part = await NextAsync(cancellationToken);
            if (part.PartCase != V1.ExportPart.PartOneofCase.ImageChunk || part.ImageChunk.IsEmpty)
            {
                throw Invalid("an image ends before its size");
            }

            bytes -= part.ImageChunk.Length;
            yield return part.ImageChunk.Memory;
        }
    }

    private async Task AnswerAsync(V1.ExportMark mark, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(mark.Export, out var export) || export != _export || !mark.Sha256.Span.SequenceEqual(_chain.Value))
        {
            throw Invalid("parts of it are missing, altered, or out of their place");
        }

        if (mark.IsEnd)
        {
            Refuse(await grains.GetTenantImport(caller.Tenant).CompleteAsync(caller.Actor, _export));
            _progress.Complete = true;
        }

        await responses.WriteAsync(_progress.Clone(), cancellationToken);
    }

    private async Task<V1.ExportPart> NextAsync(CancellationToken cancellationToken)
    {
        if (!await requests.MoveNext(cancellationToken))
        {
            throw Invalid("it ends before its last mark");
        }

        try
        {
            var part = V1.ExportPart.Parser.ParseFrom(requests.Current.Part);
            if (part.PartCase != V1.ExportPart.PartOneofCase.Mark)
            {
                _chain.Add(requests.Current.Part.Span);
            }

            return part;
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw Invalid($"a part cannot be read: {exception.Message}");
        }
    }

    private static PackedRecord Unwrap(V1.ExportedRecord record)
    {
        try
        {
            return new PackedRecord(RecordKey.Parse(record.Key), [.. record.Record.Span], [.. record.Cold.Span]);
        }
        catch (FormatException exception)
        {
            throw Invalid(exception.Message);
        }
    }

    private int PartitionOf(RecordKey record)
    {
        try
        {
            return partitions.Of(record);
        }
        catch (FormatException exception)
        {
            throw Invalid(exception.Message);
        }
    }

    private static bool IsOfRollout(string kind) => kind is GrainTypes.Rollout or GrainTypes.RolloutPartition;

    private static void Refuse(FleetError? error)
    {
        if (error is not null)
        {
            throw FleetErrors.ToRpcException(error);
        }
    }

    private static RpcException Invalid(string cause) => FleetErrors.ToRpcException(TransferErrors.ExportInvalid(cause));
}
