using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Muster.Domain.Warranty;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class DevicesServiceTests
{
    private const string Parent = "tenants/default";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateDevice_WithManyProblems_TellsAllOfThem()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var devices = Client(edge);

        var (code, reason, status) = await Samples.RefusedAsync(async () => await devices.CreateDeviceAsync(
            new V1.CreateDeviceRequest { Parent = "tenant", DeviceId = "lower case", Device = new V1.Device() }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
        Assert.Equal(
            ["parent", "request_id", "device_id", "device.model", "device.track", "device.warranty"],
            status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task CreateDevice_WithCommandsForATerminal_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var creation = Creation();
        creation.Device.Site = "hall \u001b[2J";

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateDeviceAsync(creation, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
        Assert.Equal("device.site", Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task CreateDevice_WhenItsWarrantyFails_CreatesNoDeviceUntilTheRepetition()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var terms = new List<WarrantyTerm>();
        var created = 0;
        edge.Fleet.On<IDeviceGrain, DeviceReply>(nameof(IDeviceGrain.ExpectAsync), (_, _) =>
        {
            created++;
            return new DeviceReply(Samples.Device("A1"), null);
        });
        AnswerWarranties(edge, terms);
        edge.Fleet.Fail<IWarrantyGrain, WarrantyReply>(nameof(IWarrantyGrain.ExpectAsync), new StoreUnavailableException("down"));
        var devices = Client(edge);

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await devices.CreateDeviceAsync(Creation(), cancellationToken: Stop));
        var createdWithout = created;
        AnswerWarranties(edge, terms);
        var first = await devices.CreateDeviceAsync(Creation(), cancellationToken: Stop);
        var repeated = await devices.CreateDeviceAsync(Creation(), cancellationToken: Stop);

        Assert.Equal((StatusCode.Unavailable, "TEMPORARILY_UNAVAILABLE"), (code, reason));
        Assert.NotNull(status.GetDetail<RetryInfo>());
        Assert.Equal(0, createdWithout);
        Assert.Equal("2026-01-01", first.Warranty.StartsOn);
        Assert.Equal(first, repeated);
        Assert.Equal(new WarrantyTerm(new DateOnly(2026, 1, 1), 36), Assert.Single(terms.Distinct()));
    }

    [Theory]
    [InlineData(true, "STORE_FULL")]
    [InlineData(false, "FEED_FULL")]
    public async Task CreateDevice_WhenThereIsNoRoom_TellsWhereAndWhatToDo(bool isStore, string expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        const string Sentence = "There is no room in the cellar.";
        edge.Fleet.Fail<IWarrantyGrain, WarrantyReply>(
            nameof(IWarrantyGrain.ExpectAsync), isStore ? new StoreFullException(Sentence) : new FeedFullException(Sentence));

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateDeviceAsync(Creation(), cancellationToken: Stop));

        Assert.Equal((StatusCode.ResourceExhausted, expected, Sentence), (code, reason, status.Message));
        Assert.NotNull(status.GetDetail<RetryInfo>());
    }

    [Fact]
    public async Task CreateDevice_WithARequestIdOfAnotherRequest_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IDeviceGrain, DeviceReply>(
            nameof(IDeviceGrain.ExpectAsync), (_, _) => new DeviceReply(null, RequestErrors.IdReused("r1")));
        AnswerWarranties(edge, []);

        var (code, reason, status) = await Samples.RefusedAsync(
            async () => await Client(edge).CreateDeviceAsync(Creation(), cancellationToken: Stop));

        Assert.Equal((StatusCode.AlreadyExists, "REQUEST_ID_REUSED"), (code, reason));
        Assert.Equal("r1", status.GetDetail<ErrorInfo>()!.Metadata["request_id"]);
    }

    [Fact]
    public async Task GetDevice_WhenTheGrainHasABug_IsInternalWithoutItsWords()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.Fail<IDeviceGrain, DeviceReply>(nameof(IDeviceGrain.GetAsync), new InvalidOperationException("secret"));

        var (code, reason, status) = await Samples.RefusedAsync(async () =>
            await Client(edge).GetDeviceAsync(new V1.GetDeviceRequest { Name = Parent + "/devices/A1" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.Internal, "INTERNAL"), (code, reason));
        Assert.DoesNotContain("secret", status.ToString(), StringComparison.Ordinal);
        Assert.Equal(32, status.GetDetail<ErrorInfo>()!.Metadata["id"].Length);
    }

    [Fact]
    public async Task ListDevices_PageByPage_GivesEveryDeviceOnceInOrder()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var names = await Samples.FillAsync(edge, 137);
        var devices = Client(edge);
        var found = new List<string>();
        var token = "";
        do
        {
            var page = await devices.ListDevicesAsync(
                new V1.ListDevicesRequest { Parent = Parent, PageSize = 10, PageToken = token }, cancellationToken: Stop);
            found.AddRange(page.Devices.Select(device => device.Name.Split('/')[3]));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(names.Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public async Task ListDevices_OfOnePartitionOnly_IsStillInOrder()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        for (var i = 0; i < 60; i++)
        {
            await edge.Fleet.InventoryOf(3).PutAsync(Samples.Row($"A{i:000}"));
        }

        await edge.Fleet.InventoryOf(7).PutAsync(Samples.Row("Z"));

        var page = await Client(edge).ListDevicesAsync(new V1.ListDevicesRequest { Parent = Parent }, cancellationToken: Stop);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"tenants/default/devices/A{i:000}"), page.Devices.Select(device => device.Name));
        Assert.NotEmpty(page.NextPageToken);
    }

    [Theory]
    [InlineData("state = NOWHERE AND", "", "FILTER_INVALID")]
    [InlineData("colour = red", "", "FILTER_INVALID")]
    [InlineData("", "bm90IGEgdG9rZW4", "PAGE_TOKEN_INVALID")]
    [InlineData("", "!!", "PAGE_TOKEN_INVALID")]
    public async Task ListDevices_WithABadQuery_IsRefused(string filter, string token, string expected)
    {
        await using var edge = await OperatorsEdge.StartAsync();

        var (code, reason, _) = await Samples.RefusedAsync(async () => await Client(edge).ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, Filter = filter, PageToken = token }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, expected), (code, reason));
    }

    [Fact]
    public async Task ListDevices_WithATokenOfAnotherFilter_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 20);
        var devices = Client(edge);
        var page = await devices.ListDevicesAsync(new V1.ListDevicesRequest { Parent = Parent, PageSize = 5 }, cancellationToken: Stop);

        var (_, reason, _) = await Samples.RefusedAsync(async () => await devices.ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, PageSize = 5, PageToken = page.NextPageToken, Filter = "model = X" },
            cancellationToken: Stop));

        Assert.Equal("PAGE_TOKEN_INVALID", reason);
    }

    [Fact]
    public async Task CountDevices_ByState_CountsWhatMatches()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 30);
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("Q1", state: DeviceState.Quarantined));
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("X1", model: "Other"));

        var counts = await Client(edge).CountDevicesAsync(
            new V1.CountDevicesRequest { Parent = Parent, Filter = "model = P3265-V", GroupBy = "state" }, cancellationToken: Stop);

        Assert.Equal((31, 0), (counts.Total, counts.Other));
        Assert.Equal([("IN_SERVICE", 30), ("QUARANTINED", 1)], counts.Groups.Select(group => (group.Values.Single(), group.Count)));
    }

    [Fact]
    public async Task CountDevices_OfTheTop_SumsUpTheOthers()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 30);
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("Q1", state: DeviceState.Quarantined));
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("X1", model: "Other"));

        var counts = await Client(edge).CountDevicesAsync(
            new V1.CountDevicesRequest { Parent = Parent, GroupBy = "model, state", Top = 1 }, cancellationToken: Stop);

        var largest = Assert.Single(counts.Groups);
        Assert.Equal(["P3265-V", "IN_SERVICE"], largest.Values);
        Assert.Equal((30, 2), (largest.Count, counts.Other));
    }

    [Fact]
    public async Task ListDevices_InAnOrder_PagesThroughAllPartitionsInIt()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var models = new[] { "C", "A", "B" };
        for (var i = 0; i < 60; i++)
        {
            await edge.Fleet.InventoryOf(i % 7).PutAsync(Samples.Row($"D{i:00}", model: models[i % 3]));
        }

        var listed = new List<(string Model, string Name)>();
        var request = new V1.ListDevicesRequest { Parent = Parent, PageSize = 7, OrderBy = "model desc" };
        do
        {
            var page = await Client(edge).ListDevicesAsync(request, cancellationToken: Stop);
            listed.AddRange(page.Devices.Select(device => (device.Model, device.Name)));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(60, listed.Count);
        Assert.Equal(
            listed.OrderByDescending(row => row.Model, StringComparer.Ordinal).ThenBy(row => row.Name, StringComparer.Ordinal), listed);
    }

    [Fact]
    public async Task ListDevices_WithATokenOfAnotherOrder_IsRefused()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 20);
        var first = new V1.ListDevicesRequest { Parent = Parent, PageSize = 5 };
        var page = await Client(edge).ListDevicesAsync(first, cancellationToken: Stop);

        var (_, reason, _) = await Samples.RefusedAsync(async () => await Client(edge).ListDevicesAsync(
            new V1.ListDevicesRequest { Parent = Parent, PageSize = 5, PageToken = page.NextPageToken, OrderBy = "model" },
            cancellationToken: Stop));

        Assert.Equal("PAGE_TOKEN_INVALID", reason);
    }

    [Fact]
    public async Task EditDevices_PageByPage_EditsWhatMatchesOnce()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await Samples.FillAsync(edge, 12);
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("OTHER", model: "Other"));
        var edits = new System.Collections.Concurrent.ConcurrentQueue<(string Key, EditDevice Command)>();
        edge.Fleet.On<IDeviceGrain, DeviceReply>(nameof(IDeviceGrain.EditAsync), (key, arguments) =>
        {
            edits.Enqueue((key, (EditDevice)arguments[0]!));
            return new DeviceReply(Samples.Device("A1"), null) { IsUnchanged = edits.Count > 10 };
        });
        var request = new V1.EditDevicesRequest
        {
            Parent = Parent, Filter = "model = P3265-V", PageSize = 5, Site = "", SetLabels = { ["floor"] = "3" }, RemoveLabels = { "env" },
        };
        var (edited, unchanged) = (0, 0);
        do
        {
            var page = await Client(edge).EditDevicesAsync(request, cancellationToken: Stop);
            (edited, unchanged, request.PageToken) = (edited + page.Edited, unchanged + page.Unchanged, page.NextPageToken);
        }
        while (request.PageToken.Length > 0);

        Assert.Equal((10, 2), (edited, unchanged));
        Assert.Equal(12, edits.Select(edit => edit.Key).Distinct().Count());
        Assert.All(edits, edit => Assert.Equal("", edit.Command.Edit.Site));
        Assert.All(edits, edit => Assert.Equal([new DeviceLabel("floor", "3")], edit.Command.Edit.Set));
        Assert.All(edits, edit => Assert.Equal(["env"], edit.Command.Edit.Remove));
    }

    [Theory]
    [InlineData("", "a", "b", "filter")]
    [InlineData("*", "Upper", "b", "set_labels")]
    [InlineData("*", "a\u0007", "b", "set_labels")]
    [InlineData("*", "a", "b\u0007", "set_labels")]
    [InlineData("*", "a", "", "set_labels")]
    [InlineData("*", "", "", "site")]
    public async Task EditDevices_WithWhatCannotBe_NamesTheField(string filter, string label, string value, string field)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var request = new V1.EditDevicesRequest { Parent = Parent, Filter = filter };
        if (label.Length > 0)
        {
            request.SetLabels[label] = value;
        }

        var (code, _, status) = await Samples.RefusedAsync(
            async () => await Client(edge).EditDevicesAsync(request, cancellationToken: Stop));

        Assert.Equal(StatusCode.InvalidArgument, code);
        Assert.Equal(field, Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    private static V1.Devices.DevicesClient Client(OperatorsEdge edge) => new(edge.Connect("anna", OperatorRole.Operator));

    private static V1.CreateDeviceRequest Creation() => new()
    {
        Parent = Parent,
        DeviceId = "A1",
        RequestId = "r1",
        Device = new V1.Device
        {
            Model = "P3265-V",
            Track = "active",
            Warranty = new V1.Warranty { StartsOn = "2026-01-01", TermMonths = 36 },
        },
    };

    private static void AnswerWarranties(OperatorsEdge edge, List<WarrantyTerm> terms)
    {
        WarrantyReply Reply(string key)
        {
            var (tenant, device) = DeviceKey.Parse(key);
            var cover = WarrantyCover.Empty(tenant, device);
            return new WarrantyReply(terms.Count == 0 ? cover : cover with { Term = terms[^1] }, WarrantyStatus.Active, null, null);
        }

        edge.Fleet.On<IWarrantyGrain, WarrantyReply>(nameof(IWarrantyGrain.GetAsync), (key, _) => Reply(key));
        edge.Fleet.On<IWarrantyGrain, WarrantyReply>(nameof(IWarrantyGrain.ExpectAsync), (key, args) =>
        {
            terms.Add(((ExpectWarranty)args[0]!).Term);
            return Reply(key);
        });
    }
}
