using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Contracts.Anchors;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Anchors;

/// <summary>The trust anchors of the API. A tenant has at most some dozens, in one record: they are listed without the inventory.</summary>
internal sealed class AnchorsService(IGrainFactory grains) : V1.Anchors.AnchorsBase
{
    public override async Task<V1.Anchor> GetAnchor(V1.GetAnchorRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, AnchorsMapping.Collection);
        var set = await grains.GetAnchorSet(tenant).GetAsync();
        return AnchorRules.Find(set, id) is { } anchor
            ? AnchorsMapping.ToApi(tenant, anchor)
            : throw FleetErrors.ToRpcException(AnchorErrors.NotFound(id));
    }

    public override async Task<V1.ListAnchorsResponse> ListAnchors(V1.ListAnchorsRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var query = new Listing(tenant, AnchorsMapping.Collection, "").Query;
        var after = PageTokens.Read(query, request.PageToken, keys: 0).Name;
        var size = request.PageSize == 0 ? RowLister.PageSizeDefault : request.PageSize;
        var rest = (await grains.GetAnchorSet(tenant).GetAsync()).Anchors
            .Where(anchor => string.CompareOrdinal(anchor.Spec.Id.Value, after) > 0)
            .Take(size + 1)
            .ToArray();
        var response = new V1.ListAnchorsResponse();
        response.Anchors.AddRange(rest.Take(size).Select(anchor => AnchorsMapping.ToApi(tenant, anchor)));
        response.NextPageToken = rest.Length > size ? PageTokens.Create(query, new PagePlace([], rest[size - 1].Spec.Id.Value)) : "";
        return response;
    }

    public override async Task<V1.Anchor> AddAnchor(V1.AddAnchorRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ResourceId.TryParse(request.AnchorId, out var parsed) ? parsed : throw new FormatException(request.AnchorId);
        var spec = new AnchorSpec(
            id, (AnchorProfile)request.Profile, [.. request.SerialPrefixes.Order(StringComparer.Ordinal)]);
        var reply = await grains.GetAnchorSet(tenant).AddAsync(new AddAnchor(Caller.Of(context).Actor, spec, request.Pem));
        return reply.Anchor is { } anchor
            ? AnchorsMapping.ToApi(tenant, anchor)
            : throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException("Neither an anchor nor an error."));
    }

    public override async Task<Empty> RemoveAnchor(V1.RemoveAnchorRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, AnchorsMapping.Collection);
        Sha256Hash? certificate = Sha256Hash.TryParse(request.CertificateSha256, out var hash) ? hash : null;
        var reply = await grains.GetAnchorSet(tenant).RemoveAsync(new RemoveAnchor(Caller.Of(context).Actor, id, certificate));
        return reply.Error is { } error ? throw FleetErrors.ToRpcException(error) : new Empty();
    }
}

/// <summary>Anchors of the API and of the domain.</summary>
internal static class AnchorsMapping
{
    public const string Collection = "anchors";

    public static V1.Anchor ToApi(TenantId tenant, TrustAnchor anchor)
    {
        var api = new V1.Anchor
        {
            Name = ResourceNames.Of(tenant, Collection, anchor.Spec.Id.Value),
            Profile = (V1.AnchorProfile)anchor.Spec.Profile,
            CreateTime = Timestamp.FromDateTimeOffset(anchor.CreatedAt),
        };
        api.SerialPrefixes.AddRange(anchor.Spec.SerialPrefixes);
        api.Certificates.AddRange(anchor.Certificates.Select(ToApi));
        return api;
    }

    private static V1.AnchorCertificate ToApi(AnchorCertificate certificate) => new()
    {
        Sha256 = certificate.Sha256.ToString(),
        Subject = certificate.Subject,
        Root = certificate.IsRoot,
        EndTime = certificate.NotAfter is { } end ? Timestamp.FromDateTimeOffset(end) : null,
        Pem = System.Security.Cryptography.PemEncoding.WriteString("CERTIFICATE", certificate.Der.AsSpan()),
    };
}

/// <summary>What requests of the anchors service have to look like.</summary>
internal static class AnchorsValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetAnchorRequest>((request, problems) => problems.AnchorName(request.Name))
        .Add<V1.ListAnchorsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.AddAnchorRequest>((request, problems) =>
        {
            problems.Parent(request.Parent);
            problems.ResourceIdOf("anchor_id", request.AnchorId);
            problems.Require(
                request.Profile is V1.AnchorProfile.Axis or V1.AnchorProfile.Ieee8021Ar, "profile", "AXIS or IEEE8021_AR");
            problems.Require(
                request.SerialPrefixes.Count <= AnchorRules.SerialPrefixesMax,
                "serial_prefixes",
                $"at most {AnchorRules.SerialPrefixesMax}");
            foreach (var prefix in request.SerialPrefixes.Take(AnchorRules.SerialPrefixesMax))
            {
                problems.Length("serial_prefixes", prefix, 1, AnchorRules.SerialPrefixLengthMax);
            }

            problems.Require(
                request.Pem.Length is >= 1 and <= AnchorRules.PemLengthMax, "pem", $"1 to {AnchorRules.PemLengthMax} characters");
        })
        .Add<V1.RemoveAnchorRequest>((request, problems) =>
        {
            problems.AnchorName(request.Name);
            problems.Require(
                request.CertificateSha256.Length == 0 || Sha256Hash.TryParse(request.CertificateSha256, out _),
                "certificate_sha256",
                "64 hex digits, or empty for the whole anchor");
        });
}
