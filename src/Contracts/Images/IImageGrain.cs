using Muster.Domain;
using Muster.Domain.Images;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Images;

/// <summary>A signed OS image in a tenant's catalogue. Key: <c>tenant/digest</c>.</summary>
[GrainInterfaceType("muster.image"), Alias("muster.IImageGrain"), Version(1)]
public interface IImageGrain : IGrainWithStringKey
{
    /// <summary>
    /// Registers uploaded bytes as an image: the silo reads and verifies them itself. Answers once the bytes are servable. The
    /// same request id again gives the same answer.
    /// </summary>
    [Alias("Register")]
    Task<ImageReply> RegisterAsync(RegisterImage command);

    /// <summary>The image; <c>IMAGE_NOT_FOUND</c> unless it is published.</summary>
    [Alias("Get")]
    Task<ImageReply> GetAsync();
}

/// <summary>Registers uploaded bytes as an image. The grain's key names tenant and digest.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
/// <param name="Manifest">The publisher's statement.</param>
/// <param name="Signature">Detached CMS signature over the file (RFC 5652, DER).</param>
[GenerateSerializer, Immutable, Alias("muster.register-image")]
public sealed record RegisterImage(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ImageManifest Manifest,
    [property: Id(3)] ImmutableArray<byte> Signature);

/// <summary>The published image, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-reply")]
public sealed record ImageReply([property: Id(0)] Image? Image, [property: Id(1)] FleetError? Error);
