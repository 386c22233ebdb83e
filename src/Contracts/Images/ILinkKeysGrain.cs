using Muster.Domain.Images;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Images;

/// <summary>The secrets that all gateways of the installation sign and verify links to images with. Key: 0.</summary>
[GrainInterfaceType("muster.link-keys"), Alias("muster.ILinkKeysGrain"), Version(1)]
public interface ILinkKeysGrain : IGrainWithIntegerKey
{
    /// <summary>All that are good, at least one. Makes another one when the newest has signed long enough.</summary>
    [Alias("Get"), ResponseTimeout(CallTimeouts.Commit)]
    Task<LinkKeys> GetAsync();
}

/// <summary>The only place where this grain's key is written.</summary>
public static class LinkKeysGrainFactoryExtensions
{
    public static ILinkKeysGrain GetLinkKeys(this IGrainFactory grains)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ILinkKeysGrain>(0);
    }
}
