using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Muster.Contracts.Anchors;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Operators;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class AnchorsServiceTests
{
    private const string Parent = "tenants/default";

    private static readonly AnchorCertificateReader Reader = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddListAndRemove_OfAnAdministrator_AreTheGrains()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var set = AnchorSet.Empty;
        var actors = new List<Actor>();
        edge.Fleet.On<IAnchorSetGrain, AnchorReply>(nameof(IAnchorSetGrain.AddAsync), (_, args) =>
        {
            var command = (AddAnchor)args[0]!;
            actors.Add(command.Actor);
            var now = TimeProvider.System.GetUtcNow();
            var (certificates, error) = Reader.Read(command.Pem, command.Spec.Profile, now);
            var decision = AnchorRules.Add(set, command.Spec, certificates, Reader, now);
            set = decision.Next;
            return new AnchorReply(AnchorRules.Find(set, command.Spec.Id), error ?? decision.Error);
        });
        edge.Fleet.On<IAnchorSetGrain, AnchorReply>(nameof(IAnchorSetGrain.RemoveAsync), (_, args) =>
        {
            var command = (RemoveAnchor)args[0]!;
            actors.Add(command.Actor);
            var decision = AnchorRules.Remove(set, command.Id, command.Certificate, Reader, TimeProvider.System.GetUtcNow());
            set = decision.Next;
            return new AnchorReply(null, decision.Error);
        });
        edge.Fleet.On<IAnchorSetGrain, AnchorSet>(nameof(IAnchorSetGrain.GetAsync), (_, _) => set);
        var client = new V1.Anchors.AnchorsClient(edge.Connect("anna", OperatorRole.Administrator));
        var request = new V1.AddAnchorRequest
        {
            Parent = Parent,
            AnchorId = "acme",
            Profile = V1.AnchorProfile.Ieee8021Ar,
            SerialPrefixes = { "B-", "A-" },
            Pem = edge.Pki.RootPem,
        };

        var added = await client.AddAnchorAsync(request, cancellationToken: Stop);
        var listed = await client.ListAnchorsAsync(new V1.ListAnchorsRequest { Parent = Parent }, cancellationToken: Stop);

        Assert.Equal((Parent + "/anchors/acme", V1.AnchorProfile.Ieee8021Ar), (added.Name, added.Profile));
        Assert.Equal(["A-", "B-"], added.SerialPrefixes);
        var certificate = Assert.Single(added.Certificates);
        Assert.True(certificate.Root);
        Assert.Equal(edge.Pki.RootPem.Trim(), certificate.Pem.Trim());
        Assert.Equal(added, Assert.Single(listed.Anchors));
        Assert.Equal(added, await client.GetAnchorAsync(new V1.GetAnchorRequest { Name = added.Name }, cancellationToken: Stop));
        await client.RemoveAnchorAsync(
            new V1.RemoveAnchorRequest { Name = added.Name, CertificateSha256 = certificate.Sha256 }, cancellationToken: Stop);
        Assert.Empty(set.Anchors);
        Assert.Equal([Actor.Operator("anna"), Actor.Operator("anna")], actors);
        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await client.GetAnchorAsync(new V1.GetAnchorRequest { Name = added.Name }, cancellationToken: Stop));
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND"), (code, reason));
    }

    [Theory]
    [InlineData(OperatorRole.Viewer)]
    [InlineData(OperatorRole.Operator)]
    [InlineData(OperatorRole.Approver)]
    public async Task AddAnchor_OfAnybodyElse_IsDenied(OperatorRole role)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Anchors.AnchorsClient(edge.Connect("anna", role));

        var (code, _, _) = await Samples.RefusedAsync(
            async () => await client.AddAnchorAsync(new V1.AddAnchorRequest { Parent = Parent }, cancellationToken: Stop));

        Assert.Equal(StatusCode.PermissionDenied, code);
    }

    /// <summary>Every request that names something of another tenant, whatever else is wrong with it.</summary>
    [Theory]
    [MemberData(nameof(NamingRequests))]
    public void Check_OfARequestForAnotherTenant_IsDeniedFirst(string type)
    {
        var validators = OperatorsApiExtensions.CreateValidators();
        var request = (IMessage)Activator.CreateInstance(validators.Types.Single(one => one.Name == type))!;
        Assert.True(Name(request, "other"));
        var own = (IMessage)Activator.CreateInstance(request.GetType())!;
        Assert.True(Name(own, "default"));
        var anna = ResourceId.TryParse("anna", out var id) ? id : throw new FormatException();

        var caller = new Caller(TenantId.Default, anna, [OperatorRole.Administrator]);
        var refusal = Assert.Throws<RpcException>(() => validators.Check(request, caller));

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        if (Record.Exception(() => validators.Check(own, caller)) is RpcException other)
        {
            Assert.Equal(StatusCode.InvalidArgument, other.StatusCode);
        }
    }

    public static TheoryData<string> NamingRequests() =>
        [.. OperatorsApiExtensions.CreateValidators().Types
            .Where(type => Name((IMessage)Activator.CreateInstance(type)!, "other"))
            .Select(type => type.Name)
            .Order()];

    [Fact]
    public void Requests_ThatNameNoTenant_AreKnown() => Assert.Equal(
        // The tenant of an import stands in the export itself: the service compares it.
        ["ImportTenantRequest", "RebuildInventoryRequest", "VerifyInventoryRequest", "WhoAmIRequest"],
        OperatorsApiExtensions.CreateValidators().Types.Select(type => type.Name).Except(NamingRequests().Select(row => row.Data)).Order());

    /// <summary>Fills in every name and parent, also one level down; false when the request has none.</summary>
    private static bool Name(IMessage request, string tenant)
    {
        var isNamed = false;
        foreach (var field in request.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String && field is { Name: "parent", IsRepeated: false })
            {
                field.Accessor.SetValue(request, $"tenants/{tenant}");
                isNamed = true;
            }
            else if (field.FieldType == FieldType.String && field.Name is "name" or "device" or "names")
            {
                var name = $"tenants/{tenant}/{CollectionOf(request.Descriptor.Name)}";
                if (field.IsRepeated)
                {
                    ((System.Collections.IList)field.Accessor.GetValue(request)).Add(name);
                }
                else
                {
                    field.Accessor.SetValue(request, name);
                }

                isNamed = true;
            }
            else if (field.FieldType == FieldType.Message && !field.IsRepeated && !field.IsMap
                && (field.MessageType.FindFieldByName("parent") is not null
                    || ((field.Name == "header" || request.Descriptor.Name.StartsWith("Update", StringComparison.Ordinal))
                        && field.MessageType.FindFieldByName("name") is not null)))
            {
                var inner = (IMessage)Activator.CreateInstance(field.MessageType.ClrType)!;
                isNamed |= Name(inner, tenant);
                field.Accessor.SetValue(request, inner);
            }
        }

        return isNamed;
    }

    private static string CollectionOf(string message) => message switch
    {
        _ when message.Contains("Warranty", StringComparison.Ordinal) => "devices/A1/warranty",
        _ when message.Contains("Decommission", StringComparison.Ordinal) => "decommissions/A1",
        _ when message.Contains("Device", StringComparison.Ordinal) => "devices/A1",
        _ when message.Contains("Image", StringComparison.Ordinal) || message.Contains("Upload", StringComparison.Ordinal) =>
            $"images/{new string('a', 64)}",
        _ when message.Contains("Rollout", StringComparison.Ordinal) || message.Contains("Wave", StringComparison.Ordinal) => "rollouts/a",
        _ when message.Contains("Strategy", StringComparison.Ordinal) => "strategies/a",
        _ when message.Contains("SiteRules", StringComparison.Ordinal) => "siteRules",
        _ when message.Contains("Policy", StringComparison.Ordinal) => "policies/a",
        _ when message.Contains("Product", StringComparison.Ordinal) => "products/A1",
        _ when message.Contains("Operator", StringComparison.Ordinal) => "operators/a",
        _ when message.Contains("Delivery", StringComparison.Ordinal) => "deliveries/a",
        _ when message.Contains("Anchor", StringComparison.Ordinal) => "anchors/a",
        _ when message.Contains("Enrollment", StringComparison.Ordinal) => "enrollments/A1",
        _ when message.Contains("TrustRules", StringComparison.Ordinal) => "trustRules",
        _ when message.Contains("Serial", StringComparison.Ordinal) => "serials/A1",
        _ when message.Contains("Catalogue", StringComparison.Ordinal) => "catalogue",
        _ => throw new InvalidOperationException($"Which collection does a {message} name? Say so here."),
    };
}
