using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Decommissioning;
using Muster.Contracts.Devices;
using Muster.Contracts.EndOfSupport;
using Muster.Contracts.Inventory;
using Muster.Contracts.Policies;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Domain.Policies;
using Muster.Domain.Warranty;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class OtherServicesTests
{
    private const string Parent = "tenants/default";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ApproveDecommission_OfAnApprover_CarriesTheRolesOfTheCall()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        ApproveDecommission? approved = null;
        edge.Fleet.On<IDecommissionGrain, DecommissionReply>(nameof(IDecommissionGrain.ApproveAsync), (key, args) =>
        {
            approved = (ApproveDecommission)args[0]!;
            return new DecommissionReply(DecommissionOf(key), null);
        });
        var client = new V1.Decommissions.DecommissionsClient(edge.Connect("carla", OperatorRole.Approver));

        var answer = await client.ApproveDecommissionAsync(
            new V1.ApproveDecommissionRequest { Name = Parent + "/decommissions/A1" }, cancellationToken: Stop);

        Assert.Equal(Actor.Operator("carla"), approved!.Actor);
        Assert.Equal([OperatorRole.Approver], approved.Roles);
        Assert.Equal((V1.DecommissionState.Erasing, "END_OF_SUPPORT", "anna"), (answer.State, answer.Cause, answer.Requester));
    }

    [Theory]
    [InlineData(OperatorRole.Viewer)]
    [InlineData(OperatorRole.Operator)]
    [InlineData(OperatorRole.Administrator)]
    public async Task ApproveDecommission_OfAnybodyElse_IsDenied(OperatorRole role)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Decommissions.DecommissionsClient(edge.Connect("anna", role));

        var (code, reason, _) = await Samples.RefusedAsync(async () => await client.ApproveDecommissionAsync(
            new V1.ApproveDecommissionRequest { Name = Parent + "/decommissions/A1" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED"), (code, reason));
    }

    [Fact]
    public async Task ApproveDecommission_OfTheRequester_IsDeniedWithItsOwnReason()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IDecommissionGrain, DecommissionReply>(nameof(IDecommissionGrain.ApproveAsync), (key, _) =>
            new DecommissionReply(null, DecommissionErrors.ApproverIsRequester(DeviceKey.Parse(key).Device, "anna")));
        var client = new V1.Decommissions.DecommissionsClient(edge.Connect("anna", OperatorRole.Operator, OperatorRole.Approver));

        var (code, reason, _) = await Samples.RefusedAsync(async () => await client.ApproveDecommissionAsync(
            new V1.ApproveDecommissionRequest { Name = Parent + "/decommissions/A1" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.PermissionDenied, "APPROVER_IS_REQUESTER"), (code, reason));
    }

    [Fact]
    public async Task GetProduct_WithAnOpenCampaign_ShowsHowFarItIs()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Fleet.On<IProductGrain, ProductReply>(
            nameof(IProductGrain.GetAsync), (key, _) => new ProductReply(ProductOf(key), SupportStatus.EndOfSupport, null));
        edge.Fleet.On<IEndOfSupportGrain, SupportCampaign?>(nameof(IEndOfSupportGrain.GetAsync), (key, _) => CampaignOf(key));
        var client = new V1.Products.ProductsClient(edge.Connect("anna", OperatorRole.Viewer));

        var product = await client.GetProductAsync(
            new V1.GetProductRequest { Name = Parent + "/products/P3265-V" }, cancellationToken: Stop);

        Assert.Equal((V1.SupportStatus.EndOfSupport, "c1"), (product.SupportStatus, product.Campaign));
        Assert.Equal((7L, true), (product.Proposed, product.CampaignComplete));
        Assert.Equal(Samples.At, product.OsSupportEndsAt.ToDateTimeOffset());
    }

    [Fact]
    public async Task UpdateProduct_WithAnInstantOutsideTheCalendar_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Products.ProductsClient(edge.Connect("anna", OperatorRole.Operator));
        var product = new V1.Product { Name = Parent + "/products/P3265-V", OsSupportEndsAt = new Timestamp { Seconds = long.MaxValue } };

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await client.UpdateProductAsync(new V1.UpdateProductRequest { Product = product }, cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    [Fact]
    public async Task CreatePolicy_WithBothKindsOfRules_ComesBackAsItWas()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var set = PolicySet.Empty;
        edge.Fleet.On<IPolicySetGrain, PolicyReply>(nameof(IPolicySetGrain.CreateAsync), (_, args) =>
        {
            var policy = new Policy(((CreatePolicy)args[0]!).Spec, 1, 1, "r1");
            set = new PolicySet(1, [policy], 0);
            return new PolicyReply(policy, null);
        });
        edge.Fleet.On<IPolicySetGrain, PolicySet>(nameof(IPolicySetGrain.GetAsync), (_, _) => set);
        var client = new V1.Policies.PoliciesClient(edge.Connect("anna", OperatorRole.Operator));
        var policy = new V1.Policy
        {
            Models = { "P3265-V" },
            Rules =
            {
                new V1.PolicyRule { Name = "os", MinimumOsVersion = "12.0" },
                new V1.PolicyRule { Name = "ssh-off", RequiredSetting = new V1.RequiredSetting { Setting = "SSH", Value = "no" } },
            },
        };

        var created = await client.CreatePolicyAsync(
            new V1.CreatePolicyRequest { Parent = Parent, PolicyId = "hardening", RequestId = "r1", Policy = policy },
            cancellationToken: Stop);
        var list = await client.ListPoliciesAsync(new V1.ListPoliciesRequest { Parent = Parent }, cancellationToken: Stop);

        Assert.Equal(policy.Rules, created.Rules);
        Assert.Equal(("tenants/default/policies/hardening", false), (created.Name, created.Evaluated));
        Assert.Equal(created, Assert.Single(list.Policies));
    }

    [Fact]
    public async Task GetWarranty_OnADay_AsksForThatDay()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        DateOnly? asked = null;
        edge.Fleet.On<IWarrantyGrain, WarrantyReply>(nameof(IWarrantyGrain.GetAsync), (key, args) =>
        {
            asked = (DateOnly?)args[0];
            var (tenant, device) = DeviceKey.Parse(key);
            var cover = WarrantyCover.Empty(tenant, device) with { Term = new WarrantyTerm(new DateOnly(2026, 1, 1), 12) };
            return new WarrantyReply(cover, WarrantyStatus.Ended, new DateOnly(2026, 12, 31), null);
        });
        var client = new V1.Warranties.WarrantiesClient(edge.Connect("anna", OperatorRole.Viewer));

        var warranty = await client.GetWarrantyAsync(
            new V1.GetWarrantyRequest { Name = Parent + "/devices/A1/warranty", OnDate = "2027-02-03" }, cancellationToken: Stop);

        Assert.Equal(new DateOnly(2027, 2, 3), asked);
        Assert.Equal(("2026-01-01", "2026-12-31", V1.WarrantyStatus.Ended), (warranty.StartsOn, warranty.EndsOn, warranty.Status));
    }

    [Fact]
    public async Task ListWarranties_OfOpenReviews_TellsTheStatusToday()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await PutAsync("A1", WarrantyReviewState.Open);
        await PutAsync("B2", WarrantyReviewState.Kept);
        var client = new V1.Warranties.WarrantiesClient(edge.Connect("anna", OperatorRole.Viewer));

        var list = await client.ListWarrantiesAsync(
            new V1.ListWarrantiesRequest { Parent = Parent, Filter = "review=OPEN" }, cancellationToken: Stop);

        var warranty = Assert.Single(list.Warranties);
        Assert.Equal(("tenants/default/devices/A1/warranty", "2020-12-31"), (warranty.Name, warranty.EndsOn));
        Assert.Equal((V1.WarrantyStatus.Ended, V1.WarrantyReviewState.Open), (warranty.Status, warranty.Review));

        Task PutAsync(string device, WarrantyReviewState review)
        {
            var term = new WarrantyTerm(new DateOnly(2020, 1, 1), 12);
            var row = new WarrantyRow { Tenant = TenantId.Default, Name = device, Term = term, Review = review };
            return edge.Fleet.InventoryOf(1).PutAsync(new ListedRow(new RecordKey(GrainTypes.Warranty, $"default/{device}"), 1, row, null));
        }
    }

    [Fact]
    public async Task CreateOperator_WithoutARole_IsInvalid()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Operators.OperatorsClient(edge.Connect("anna", OperatorRole.Administrator));

        var (code, reason, _) = await Samples.RefusedAsync(async () => await client.CreateOperatorAsync(
            new V1.CreateOperatorRequest { Parent = Parent, OperatorId = "bob", RequestId = "r1", CertificateRequest = "x" },
            cancellationToken: Stop));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (code, reason));
    }

    private static Decommission DecommissionOf(string key) => new()
    {
        Tenant = DeviceKey.Parse(key).Tenant,
        Device = DeviceKey.Parse(key).Device,
        State = DecommissionState.Erasing,
        StateChangedAt = Samples.At,
        Cause = DecommissionCause.EndOfSupport,
        Campaign = "c1",
        Requester = Actor.Operator("anna"),
    };

    private static Product ProductOf(string key) => new()
    {
        Tenant = ProductKey.Parse(key).Tenant,
        Id = ProductKey.Parse(key).Product,
        Spec = new ProductSpec(new SupportWindow(null, Samples.At, null), ""),
        CreatedAs = new ProductSpec(new SupportWindow(null, Samples.At, null), ""),
        RequestId = "r1",
        CreatedAt = Samples.At,
        ToldStatus = SupportStatus.EndOfSupport,
        OpenCampaign = "c1",
        ChangedAt = Samples.At,
    };

    private static SupportCampaign CampaignOf(string key) => new()
    {
        Tenant = ProductKey.Parse(key).Tenant,
        Product = ProductKey.Parse(key).Product,
        Id = "c1",
        EndsAt = Samples.At,
        OpenedAt = Samples.At,
        Done = PartitionSet.Empty(16),
        Proposed = 7,
        Sweeps = 1,
        NextSweepAt = Samples.At,
    };
}
