using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Anchors;

/// <summary>
/// All trust anchors of a tenant that are managed through the API, under one revision. Every gateway asks for what changed every two
/// seconds. Key: the tenant.
/// </summary>
[GrainInterfaceType("muster.anchors"), Alias("muster.IAnchorSetGrain"), Version(1)]
public interface IAnchorSetGrain : IGrainWithStringKey
{
    /// <summary>Adds an anchor, or certificates to one. The same again changes nothing.</summary>
    [Alias("Add"), ResponseTimeout(CallTimeouts.Commit)]
    Task<AnchorReply> AddAsync(AddAnchor command);

    /// <summary>Removes an anchor, or one certificate of it.</summary>
    [Alias("Remove"), ResponseTimeout(CallTimeouts.Commit)]
    Task<AnchorReply> RemoveAsync(RemoveAnchor command);

    /// <summary>The committed set. Interleaves: only what is committed is ever answered.</summary>
    [Alias("Get"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Presence)]
    Task<AnchorSet> GetAsync();

    /// <summary>The committed set, or null when it is the one that the caller has. Interleaves as <see cref="GetAsync"/>.</summary>
    [Alias("GetChanged"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Presence)]
    Task<AnchorSet?> GetChangedAsync(long revision, DateTimeOffset changedAt);
}

/// <summary>Adds an anchor, or certificates to one.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="Spec">Which anchor, and what it may speak for.</param>
/// <param name="Pem">Roots and intermediates.</param>
[GenerateSerializer, Immutable, Alias("muster.add-anchor")]
public sealed record AddAnchor(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] AnchorSpec Spec,
    [property: Id(2)] string Pem);

/// <summary>Removes an anchor, or one certificate of it.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="Id">Which anchor.</param>
/// <param name="Certificate">Which certificate; null for all.</param>
[GenerateSerializer, Immutable, Alias("muster.remove-anchor")]
public sealed record RemoveAnchor(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ResourceId Id,
    [property: Id(2)] Sha256Hash? Certificate);

/// <summary>The anchor as committed, or why not.</summary>
/// <param name="Anchor">Null when it was refused, and when it is gone.</param>
/// <param name="Error">Null when it was done.</param>
[GenerateSerializer, Immutable, Alias("muster.anchor-reply")]
public sealed record AnchorReply([property: Id(0)] TrustAnchor? Anchor, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a tenant becomes the key of its anchors.</summary>
public static class AnchorSetGrainFactoryExtensions
{
    public static IAnchorSetGrain GetAnchorSet(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IAnchorSetGrain>(tenant.Value);
    }
}
