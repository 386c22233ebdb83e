namespace Muster.Domain.Rollouts;

/// <summary>How many of the devices that match a rollout's filter run an image.</summary>
/// <param name="Digest">SHA-256 of the image; empty for devices that did not say, and for what <see cref="ImagesMax"/> leaves out.</param>
/// <param name="Devices">How many.</param>
[GenerateSerializer, Immutable, Alias("muster.image-count")]
public readonly record struct ImageCount([property: Id(0)] string Digest, [property: Id(1)] int Devices)
{
    /// <summary>A fleet that runs more images at a time has none of them on many devices; each is looked up in the catalogue.</summary>
    public const int ImagesMax = 64;

    /// <summary>The counts with the most devices, and one for the rest.</summary>
    public static ImmutableArray<ImageCount> Top(IEnumerable<ImageCount> counts)
    {
        var sums = counts
            .GroupBy(count => count.Digest)
            .Select(image => new ImageCount(image.Key, image.Sum(count => count.Devices)))
            .OrderByDescending(count => count.Devices)
            .ThenBy(count => count.Digest, StringComparer.Ordinal)
            .ToList();
        return sums.Count <= ImagesMax
            ? [.. sums]
            : [.. sums.Take(ImagesMax - 1), new ImageCount("", sums.Skip(ImagesMax - 1).Sum(count => count.Devices))];
    }
}
