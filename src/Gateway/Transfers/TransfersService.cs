using Grpc.Core;
using Muster.Artifacts;
using Muster.Contracts.Commit;
using Muster.Contracts.Transfers;
using Muster.Gateway.Grpc;
using Muster.Protocol;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Transfers;

/// <summary>A tenant as a stream.</summary>
internal sealed class TransfersService(IGrainFactory grains, PartitionMap partitions, IArtifactStore artifacts, TimeProvider clock)
    : V1.Transfers.TransfersBase
{
    public override async Task ExportTenant(
        V1.ExportTenantRequest request, IServerStreamWriter<V1.ExportTenantResponse> responseStream, ServerCallContext context)
    {
        var run = new ExportRun(grains, partitions, artifacts, ResourceNames.ParentOf(request.Parent), responseStream);
        await run.RunAsync(request.ResumeAfter ?? New(), context.CancellationToken);
    }

    public override async Task ImportTenant(
        IAsyncStreamReader<V1.ImportTenantRequest> requestStream,
        IServerStreamWriter<V1.ImportTenantResponse> responseStream,
        ServerCallContext context)
    {
        var run = new ImportRun(grains, partitions, artifacts, Caller.Of(context), requestStream, responseStream);
        await run.RunAsync(context.CancellationToken);
    }

    /// <summary>Where an export begins.</summary>
    private V1.ExportMark New() => new()
    {
        Export = Guid.NewGuid().ToString(),
        StartedAt = ApiValues.ToTimestamp(clock.GetUtcNow()),
        Sha256 = Google.Protobuf.ByteString.CopyFrom(new ExportChain().Value),
    };
}

/// <summary>What requests of transfers have to look like.</summary>
internal static class TransfersValidators
{
    /// <summary>A part holds half a megabyte of records, or one that is larger, or a chunk of an image.</summary>
    public const int PartBytesMax = 2 * 1024 * 1024;

    private const int ChainBytes = 32;

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.ExportTenantRequest>(Check)
        .Add<V1.ImportTenantRequest>((request, problems) =>
            problems.Require(request.Part.Length is > 0 and <= PartBytesMax, "part", $"1 to {PartBytesMax} bytes"));

    private static void Check(V1.ExportTenantRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        if (request.ResumeAfter is not { } mark)
        {
            return;
        }

        var isPlace = Guid.TryParse(mark.Export, out _)
            && mark.StartedAt is not null
            && mark.Step >= 0
            && mark.Step < TransferStep.All.Length
            && mark.Partition is >= 0 and <= PartitionMap.CountMax
            && mark.Sha256.Length == ChainBytes;
        problems.Require(isPlace && !mark.IsEnd, "resume_after", "a mark of ExportTenant that is not the last");
    }
}
