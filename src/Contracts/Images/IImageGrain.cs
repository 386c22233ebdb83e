using Muster.Domain;
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

    /// <summary>The image, a draft, published or revoked; else <c>IMAGE_NOT_FOUND</c>.</summary>
    [Alias("Get")]
    Task<ImageReply> GetAsync();

    /// <summary>Whether it may be offered and served: null when it may.</summary>
    [Alias("CheckUse")]
    Task<FleetError?> CheckUseAsync();

    /// <summary>States a draft anew; its approvals are void.</summary>
    [Alias("Update")]
    Task<ImageReply> UpdateAsync(UpdateImage command);

    /// <summary>Approves a draft; with the last approval that is needed it is published.</summary>
    [Alias("Publish")]
    Task<ImageReply> PublishAsync(PublishImage command);

    /// <summary>Withdraws the image. Once this has answered no device is offered it any more, by no rollout.</summary>
    [Alias("Revoke")]
    Task<ImageReply> RevokeAsync(RevokeImage command);
}
