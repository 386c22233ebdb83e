using System.Collections.Concurrent;
using System.Collections.Immutable;
using Google.Protobuf;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Contracts.Deliveries;
using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Deliveries;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Warranty;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class DeliveriesServiceTests
{
    private const string List = """
        serial,model,order,site,warranty_start,warranty_months
        B8A44F000001,P3265-V,4711,Lund,2026-01-01,36
        B8A44F000002,,4711,Lund,01.02.2026,36
        B8A44F000003,P3265-V,4711,"Lund
        b8:a4:4f:00:00:01,P3265-V,4711,Lund,2026-01-01,36
        B8A44F000005,P3265-V,4711,Lund,2026-01-01,36
        """;

    private readonly ConcurrentDictionary<string, Device> _devices = new();
    private readonly ConcurrentDictionary<string, WarrantyCover> _covers = new();
    private Delivery? _delivery;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_OfRowsWithErrors_TakesTheOthersAndNamesEach()
    {
        await using var edge = await StartAsync();

        var (errors, delivery) = await ImportAsync(edge, List);

        Assert.Equal(
            [
                (3, "B8A44F000002", "warranty_start", "DELIVERY_LINE_INVALID"), (3, "B8A44F000002", "model", "DELIVERY_LINE_INVALID"),
                (4, "", "", "DELIVERY_LINE_INVALID"), (5, "b8:a4:4f:00:00:01", "serial", "DELIVERY_LINE_INVALID"),
            ],
            errors.Select(error => (error.Line, error.Serial, error.Field, error.Reason)));
        Assert.Contains("line 2", errors[3].Message, StringComparison.Ordinal);
        Assert.Equal("tenants/default/deliveries/order-4711", delivery.Name);
        Assert.Equal((2, 0, 3), (delivery.Created, delivery.Unchanged, delivery.Refused));
        Assert.Equal(["default/B8A44F000001", "default/B8A44F000005"], _devices.Keys.Order());
        var device = _devices["default/B8A44F000001"];
        Assert.Equal(("4711", "order-4711", "delivery.order-4711"), (device.Expected.Order, device.Expected.Delivery, device.RequestId));
        Assert.Equal(new WarrantyTerm(new DateOnly(2026, 1, 1), 36), _covers["default/B8A44F000001"].Term);
        Assert.Equal(delivery.Errors.Select(error => error.Line), errors.Select(error => error.Line));
    }

    [Fact]
    public async Task Import_Repeated_ChangesNothing()
    {
        await using var edge = await StartAsync();
        await ImportAsync(edge, List);
        var before = _devices.ToDictionary();

        var (_, delivery) = await ImportAsync(edge, List);

        Assert.Equal((0, 2, 3), (delivery.Created, delivery.Unchanged, delivery.Refused));
        Assert.Equal(2, _delivery!.Run);
        Assert.All(before, device => Assert.Same(device.Value, _devices[device.Key]));
    }

    [Fact]
    public async Task Import_OfAKnownDevice_IsARowError()
    {
        await using var edge = await StartAsync();
        _devices["default/B8A44F000001"] = Samples.Device("B8A44F000001");
        await ImportAsync(edge, "serial,model\nB8A44F000002,P3265-V\n");

        var (errors, delivery) = await ImportAsync(
            edge, "serial,model\nB8A44F000001,P3265-V\nB8A44F000002,Q6135-LE\nB8A44F000003,P3265-V\n");

        Assert.Equal(
            [(2, "ALREADY_EXISTS"), (3, "DELIVERY_LINE_CHANGED")],
            errors.OrderBy(error => error.Line).Select(error => (error.Line, error.Reason)));
        Assert.Equal((1, 0, 2), (delivery.Created, delivery.Unchanged, delivery.Refused));
        Assert.Equal("P3265-V", _devices["default/B8A44F000002"].Expected.Model);
    }

    [Fact]
    public async Task Import_OfAListThatBreaksOff_TellsWhatWasFoundAndStaysOpen()
    {
        await using var edge = await StartAsync();
        var errors = new List<V1.DeliveryLineError>();

        var (code, reason, _) = await Samples.RefusedAsync(() => ImportAsync(
            edge,
            "[{\"serial\": \"B8A44F000001\", \"model\": \"P3265-V\"}, {\"serial\": \"B8A44F000002\"}, 5]",
            V1.DeliveryFormat.Json,
            errors.Add));

        Assert.Equal((StatusCode.InvalidArgument, "DELIVERY_LIST_INVALID"), (code, reason));
        Assert.Equal("model", Assert.Single(errors).Field);
        Assert.Equal(["default/B8A44F000001"], _devices.Keys);
        Assert.Equal(DeliveryState.Importing, _delivery!.State);
    }

    [Fact]
    public async Task Import_WhenAStoreDoesNotAnswerOnce_TriesAgain()
    {
        await using var edge = await StartAsync();
        var failures = 1;
        edge.Fleet.On<IDeviceGrain, DeviceReply>(nameof(IDeviceGrain.ExpectAsync), (key, args) =>
            Interlocked.Decrement(ref failures) == 0 ? throw new StoreUnavailableException("down") : Expect(key, (ExpectDevice)args[0]!));

        var (errors, delivery) = await ImportAsync(edge, "serial,model\nB8A44F000001,P3265-V\n");

        Assert.Empty(errors);
        Assert.Equal(1, delivery.Created);
    }

    [Fact]
    public async Task Import_OfTwoThousandLines_TellsHowFarItIs()
    {
        await using var edge = await StartAsync();
        var list = "serial,model\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"B8A44F{i:X6},P3265-V\n"));
        var answers = 0;

        var (errors, delivery) = await ImportAsync(edge, list, heard: () => answers++);

        Assert.Empty(errors);
        Assert.Equal(2000, delivery.Created);
        Assert.InRange(answers, 2, 4);
    }

    [Theory]
    [InlineData("Order", V1.DeliveryFormat.Csv, "track", "active", "delivery_id")]
    [InlineData("order", V1.DeliveryFormat.Unspecified, "track", "active", "format")]
    [InlineData("order", V1.DeliveryFormat.Csv, "serial", "B8A44F000001", "defaults")]
    [InlineData("order", V1.DeliveryFormat.Csv, "track", "newest", "defaults.track")]
    public async Task Import_WithAHeaderThatIsNone_IsRefused(string id, V1.DeliveryFormat format, string column, string value, string field)
    {
        await using var edge = await StartAsync();
        var header = new V1.ImportDeliveryHeader { Parent = "tenants/default", DeliveryId = id, Format = format };
        header.Defaults[column] = value;

        var (code, _, status) = await Samples.RefusedAsync(() => ImportAsync(edge, [new V1.ImportDeliveryRequest { Header = header }]));

        Assert.Equal(StatusCode.InvalidArgument, code);
        Assert.Equal(field, Assert.Single(status.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations).Field);
        Assert.Null(_delivery);
    }

    [Fact]
    public async Task Import_WithoutAHeader_IsRefused()
    {
        await using var edge = await StartAsync();
        var chunk = new V1.ImportDeliveryRequest { Chunk = ByteString.CopyFromUtf8("serial,model\n") };

        Assert.Equal(StatusCode.InvalidArgument, (await Samples.RefusedAsync(() => ImportAsync(edge, [chunk]))).Code);
    }

    [Fact]
    public async Task Import_OfAThirdAtATime_IsRefusedUntilOneEnds()
    {
        await using var edge = await StartAsync();
        using var first = Open(edge);
        using var second = Open(edge);
        await BeginAsync(first, "order-1");
        await BeginAsync(second, "order-2");

        var (code, reason, _) = await Samples.RefusedAsync(() => ImportAsync(edge, List));
        await first.RequestStream.CompleteAsync();
        var overtaken = await Samples.RefusedAsync(async () => await first.ResponseStream.ReadAllAsync(Stop).CountAsync(Stop));
        var (_, delivery) = await ImportAsync(edge, List);

        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_REACHED"), (code, reason));

        // The fleet of this test knows one delivery only, and the second import began after the first.
        Assert.Equal("DELIVERY_OVERTAKEN", overtaken.Reason);
        Assert.Equal(2, delivery.Created);
    }

    [Fact]
    public async Task GetDelivery_OfNone_IsRefused()
    {
        await using var edge = await StartAsync();
        var client = new V1.Deliveries.DeliveriesClient(edge.Connect("otto", OperatorRole.Viewer));
        var request = new V1.GetDeliveryRequest { Name = "tenants/default/deliveries/order-1" };

        var (code, _, _) = await Samples.RefusedAsync(async () => await client.GetDeliveryAsync(request, cancellationToken: Stop));

        Assert.Equal(StatusCode.NotFound, code);
    }

    private async Task<OperatorsEdge> StartAsync()
    {
        var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IDeliveryGrain, DeliveryReply>(nameof(IDeliveryGrain.BeginAsync), (key, _) => Decide(
            DeliveryRules.Begin(_delivery, TenantId.Default, DeliveryKey.Parse(key).Delivery, Samples.At)));
        edge.Fleet.On<IDeliveryGrain, DeliveryReply>(nameof(IDeliveryGrain.CompleteAsync), (key, args) =>
        {
            var command = (CompleteDelivery)args[0]!;
            return Decide(DeliveryRules.Complete(
                _delivery, DeliveryKey.Parse(key).Delivery, command.Run, command.Counts, command.Errors, Samples.At));
        });
        edge.Fleet.On<IDeliveryGrain, DeliveryReply>(nameof(IDeliveryGrain.GetAsync), (key, _) =>
            new DeliveryReply(_delivery, _delivery is null ? DeliveryErrors.NotFound(DeliveryKey.Parse(key).Delivery) : null));
        edge.Fleet.On<IDeviceGrain, DeviceReply>(
            nameof(IDeviceGrain.ExpectAsync), (key, args) => Expect(key, (ExpectDevice)args[0]!));
        edge.Fleet.On<IWarrantyGrain, WarrantyReply>(nameof(IWarrantyGrain.ExpectAsync), (key, args) =>
        {
            var command = (ExpectWarranty)args[0]!;
            var (tenant, device) = DeviceKey.Parse(key);
            var decision = WarrantyRules.Expect(
                _covers.GetOrAdd(key, WarrantyCover.Empty(tenant, device)),
                command.Term,
                command.RequestId,
                _devices.GetValueOrDefault(key)?.RequestId,
                Samples.At);
            _covers[key] = decision.Next;
            return new WarrantyReply(decision.Next, WarrantyStatus.Active, null, decision.Error);
        });
        return edge;
    }

    private DeviceReply Expect(string key, ExpectDevice command)
    {
        var (_, device) = DeviceKey.Parse(key);
        var decision = DeviceLifecycle.Expect(
            _devices.GetValueOrDefault(key),
            Samples.Device(device.Value) with { Expected = command.Spec, RequestId = command.RequestId });
        if (decision.Next is { } next)
        {
            _devices[key] = next;
        }

        return new DeviceReply(decision.Next, decision.Error) { IsUnchanged = decision.Events.IsEmpty };
    }

    private DeliveryReply Decide(Decision<Delivery?> decision)
    {
        _delivery = decision.Next;
        return new DeliveryReply(decision.Next, decision.Error);
    }

    private static AsyncDuplexStreamingCall<V1.ImportDeliveryRequest, V1.ImportDeliveryResponse> Open(OperatorsEdge edge) =>
        new V1.Deliveries.DeliveriesClient(edge.Connect("anna", OperatorRole.Operator)).ImportDelivery(cancellationToken: Stop);

    /// <summary>Until the server has answered of its first line, which cannot be read.</summary>
    private static async Task BeginAsync(AsyncDuplexStreamingCall<V1.ImportDeliveryRequest, V1.ImportDeliveryResponse> call, string id)
    {
        await call.RequestStream.WriteAsync(new V1.ImportDeliveryRequest { Header = Header(id, V1.DeliveryFormat.Csv) }, Stop);
        var lines = "serial,model\n" + string.Concat(Enumerable.Repeat("\"\n", 200));
        await call.RequestStream.WriteAsync(new V1.ImportDeliveryRequest { Chunk = ByteString.CopyFromUtf8(lines) }, Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
    }

    private static V1.ImportDeliveryHeader Header(string id, V1.DeliveryFormat format) =>
        new() { Parent = "tenants/default", DeliveryId = id, Format = format };

    private static Task<(List<V1.DeliveryLineError> Errors, V1.Delivery Delivery)> ImportAsync(
        OperatorsEdge edge,
        string list,
        V1.DeliveryFormat format = V1.DeliveryFormat.Csv,
        Action<V1.DeliveryLineError>? refused = null,
        Action? heard = null) => ImportAsync(
        edge,
        [
            new V1.ImportDeliveryRequest { Header = Header("order-4711", format) },
            .. list.Chunk(1000).Select(part => new V1.ImportDeliveryRequest { Chunk = ByteString.CopyFromUtf8(new string(part)) }),
        ],
        refused,
        heard);

    private static async Task<(List<V1.DeliveryLineError> Errors, V1.Delivery Delivery)> ImportAsync(
        OperatorsEdge edge,
        ImmutableArray<V1.ImportDeliveryRequest> requests,
        Action<V1.DeliveryLineError>? refused = null,
        Action? heard = null)
    {
        using var call = Open(edge);
        try
        {
            foreach (var request in requests)
            {
                await call.RequestStream.WriteAsync(request, Stop);
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The server has answered already, and its answer says why.
        }

        var errors = new List<V1.DeliveryLineError>();
        V1.Delivery? delivery = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync(Stop))
        {
            heard?.Invoke();
            errors.AddRange(response.Errors);
            response.Errors.ToList().ForEach(error => refused?.Invoke(error));
            delivery = response.Delivery;
        }

        return (errors, delivery ?? throw new InvalidOperationException("The import ended without a word."));
    }
}
