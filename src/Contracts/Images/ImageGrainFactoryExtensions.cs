using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Contracts.Images;

/// <summary>The only place where an image's digest becomes a grain key.</summary>
public static class ImageGrainFactoryExtensions
{
    public static IImageGrain GetImage(this IGrainFactory grains, TenantId tenant, ImageDigest digest)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IImageGrain>(ImageKey.Of(tenant, digest));
    }
}

/// <summary>The key of an image: <c>tenant/digest</c>.</summary>
public static class ImageKey
{
    public static string Of(TenantId tenant, ImageDigest digest) => $"{tenant}/{digest}";

    /// <summary>Where the image's record is, and so the feed that tells of its revocation.</summary>
    public static int PartitionOf(this PartitionMap partitions, TenantId tenant, ImageDigest digest)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        return partitions.Of(new RecordKey(GrainTypes.Image, Of(tenant, digest)));
    }

    /// <summary>The fence that every offer of the image expects at 0; raised in all partitions when the image is revoked.</summary>
    public static string FenceOf(TenantId tenant, string digest) => $"image/{tenant}/{digest}";

    public static (TenantId Tenant, ImageDigest Digest) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TenantId.TryParse(key[..slash], out var tenant) && ImageDigest.TryParse(key[(slash + 1)..], out var digest)
            ? (tenant, digest)
            : throw new FormatException($"'{key}' is not a key of the form tenant/digest.");
    }
}
