using Google.Protobuf;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Transfers;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Transfers;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class TransfersServiceTests
{
    private static readonly RecordKey Device = new(GrainTypes.Device, "default/A");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ExportTenant_SentBackAsItCame_IsImportedWhole()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var written = Serve(edge);

        var parts = await ExportAsync(edge);
        var result = await ImportAsync(edge, parts);

        Assert.True(result.Complete);
        Assert.Equal((1, 0, 1), (result.Written, result.Left, result.OperatorsKept));
        Assert.Contains(Device, written);
    }

    [Fact]
    public async Task ExportTenant_BrokenOff_GoesOnBehindTheMark()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        Serve(edge);
        var parts = await ExportAsync(edge);
        var first = parts.FindIndex(part => Parse(part).Mark is not null);

        var rest = await ExportAsync(edge, Parse(parts[first]).Mark);

        Assert.Equal(parts[(first + 1)..], rest);
    }

    [Fact]
    public async Task ExportTenant_OfARecordThatComesOnTwoPages_SendsItOnce()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var written = Serve(edge);
        var partition = $"{new PartitionMap(PartitionMap.CountMin).Of(Device)}";
        edge.Fleet.On<ITransferGrain, RecordPage>(nameof(ITransferGrain.ReadAsync), (key, args) =>
            key != partition || (string)args[1]! != GrainTypes.Device
                ? new RecordPage([], null)
                : (string)args[2]! == ""
                    ? new RecordPage([new PackedRecord(Device, [1, 2], [])], "more")
                    : new RecordPage([new PackedRecord(Device, [3, 4], [])], null));

        var parts = await ExportAsync(edge);
        await ImportAsync(edge, parts);

        Assert.Equal(Device, Assert.Single(written));
        Assert.Equal(1, Parse(parts[^1]).Mark.Records);
    }

    [Fact]
    public async Task ImportTenant_WithAPartMissingOrAltered_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        Serve(edge);
        var parts = await ExportAsync(edge);
        var records = parts.FindIndex(part => Parse(part).Records is not null);
        var altered = Parse(parts[records]);
        altered.Records.Records[0].Record = ByteString.CopyFromUtf8("other");

        await RefusedAsync(edge, parts[..records].Concat(parts[(records + 1)..]), "EXPORT_INVALID");
        await RefusedAsync(edge, parts[..records].Append(altered.ToByteString()).Concat(parts[(records + 1)..]), "EXPORT_INVALID");
        await RefusedAsync(edge, parts[..^1], "EXPORT_INVALID");
        await RefusedAsync(edge, parts[1..], "EXPORT_INVALID");
        await RefusedAsync(edge, [ByteString.CopyFromUtf8("no part")], "EXPORT_INVALID");
        await RefusedAsync(edge, [ByteString.Empty], "REQUEST_INVALID");
    }

    [Theory]
    [InlineData("tenants/other", 16, 1, "belongs to")]
    [InlineData("tenants/default", 32, 1, "leave the rollouts out")]
    [InlineData("tenants/default", 16, 2, "format")]
    public async Task ImportTenant_ThatIsNotForThisPlace_SaysWhy(string tenant, int partitions, int format, string why)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        Serve(edge);
        var part = Parse((await ExportAsync(edge))[0]);
        (part.Header.Tenant, part.Header.Partitions, part.Header.Format) = (tenant, partitions, format);

        var status = await RefusedAsync(edge, [part.ToByteString()], "EXPORT_INVALID");

        Assert.Contains(why, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImportTenant_InATenantThatHasRecords_IsRefusedBeforeAnyIsWritten()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var written = Serve(edge);
        var parts = await ExportAsync(edge);
        edge.Fleet.On<ITenantImportGrain, FleetError?>(
            nameof(ITenantImportGrain.BeginAsync), (_, _) => TransferErrors.TenantNotEmpty(TenantId.Default));

        await RefusedAsync(edge, parts, "TENANT_NOT_EMPTY");

        Assert.Empty(written);
    }

    [Fact]
    public async Task Transfers_OfAnOperator_AreDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        using var export = Client(edge, OperatorRole.Operator).ExportTenant(
            new V1.ExportTenantRequest { Parent = "tenants/default" }, cancellationToken: Stop);
        using var import = Client(edge, OperatorRole.Operator).ImportTenant(cancellationToken: Stop);

        Assert.Equal(StatusCode.PermissionDenied, (await Samples.RefusedAsync(() => export.ResponseStream.MoveNext(Stop))).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await Samples.RefusedAsync(() => import.ResponseStream.MoveNext(Stop))).Code);
    }

    [Fact]
    public async Task ExportTenant_BehindAMarkThatIsNone_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        foreach (var mark in new V1.ExportMark[] { new(), new() { Export = Guid.NewGuid().ToString(), Step = 99 } })
        {
            var request = new V1.ExportTenantRequest { Parent = "tenants/default", ResumeAfter = mark };
            using var call = Client(edge).ExportTenant(request, cancellationToken: Stop);

            Assert.Equal("REQUEST_INVALID", (await Samples.RefusedAsync(() => call.ResponseStream.MoveNext(Stop))).Reason);
        }
    }

    /// <summary>One device and one operator; what is written is noted, and the operator is there already.</summary>
    private static List<RecordKey> Serve(OperatorsEdge edge)
    {
        var partitions = new PartitionMap(PartitionMap.CountMin);
        RecordKey[] all = [Device, new(GrainTypes.Operator, "default/anna")];
        edge.Fleet.On<ITransferGrain, RecordPage>(nameof(ITransferGrain.ReadAsync), (partition, args) => new RecordPage(
            [.. all
                .Where(key => key.Kind == (string)args[1]! && $"{partitions.Of(key)}" == partition)
                .Select(key => new PackedRecord(key, [1, 2], [3]))],
            null));
        var written = new List<RecordKey>();
        edge.Fleet.On<ITransferGrain, RecordsWritten>(nameof(ITransferGrain.WriteAsync), (_, args) =>
        {
            var keys = ((WriteRecords)args[0]!).Records.Select(record => record.Key).ToArray();
            written.AddRange(keys);
            var left = keys.Where(key => key.Kind == GrainTypes.Operator).Select(key => new RecordLeft(key, "There is another already."));
            return new RecordsWritten(keys.Count(key => key.Kind == GrainTypes.Device), [.. left], null);
        });
        edge.Fleet.On<ITenantImportGrain, FleetError?>(nameof(ITenantImportGrain.BeginAsync), (_, _) => null);
        edge.Fleet.On<ITenantImportGrain, FleetError?>(nameof(ITenantImportGrain.CompleteAsync), (_, _) => null);
        return written;
    }

    private static async Task<List<ByteString>> ExportAsync(OperatorsEdge edge, V1.ExportMark? after = null)
    {
        var request = new V1.ExportTenantRequest { Parent = "tenants/default", ResumeAfter = after };
        using var call = Client(edge).ExportTenant(request, cancellationToken: Stop);
        return await call.ResponseStream.ReadAllAsync(Stop).Select(response => response.Part).ToListAsync(Stop);
    }

    private static async Task<V1.ImportTenantResponse> ImportAsync(OperatorsEdge edge, IEnumerable<ByteString> parts)
    {
        using var call = Client(edge).ImportTenant(cancellationToken: Stop);
        await SendAsync(call.RequestStream, parts);
        return await call.ResponseStream.ReadAllAsync(Stop).LastAsync(Stop);
    }

    private static async Task<Google.Rpc.Status> RefusedAsync(OperatorsEdge edge, IEnumerable<ByteString> parts, string reason)
    {
        var (_, found, status) = await Samples.RefusedAsync(() => ImportAsync(edge, parts));
        Assert.Equal(reason, found);
        return status;
    }

    private static async Task SendAsync(IClientStreamWriter<V1.ImportTenantRequest> stream, IEnumerable<ByteString> parts)
    {
        try
        {
            foreach (var part in parts)
            {
                await stream.WriteAsync(new V1.ImportTenantRequest { Part = part }, Stop);
            }

            await stream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // Answered already.
        }
    }

    private static V1.ExportPart Parse(ByteString part) => V1.ExportPart.Parser.ParseFrom(part);

    private static V1.Transfers.TransfersClient Client(OperatorsEdge edge, OperatorRole role = OperatorRole.Administrator) =>
        new(edge.Connect("anna", role));
}
