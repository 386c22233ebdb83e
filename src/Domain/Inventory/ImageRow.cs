using Muster.Domain.Images;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of an image; only published ones are listed.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-row")]
public sealed record ImageRow : InventoryRow
{
    [Id(0)] public required ImageManifest Manifest { get; init; }

    [Id(1)] public required ImageSigner Signer { get; init; }

    [Id(2)] public required DateTimeOffset CreatedAt { get; init; }

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "version" => FieldValue.Of(Manifest.Version),
        "track" => FieldValue.Of(Manifest.Track.Value),
        "created_at" => FieldValue.Of(CreatedAt),
        _ => FieldValue.None,
    };

    /// <summary>The row of an image as it is; null when it is not in the catalogue.</summary>
    public static ImageRow? Of(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.State != ImageState.Published
            ? null
            : new ImageRow
            {
                Tenant = image.Tenant,
                Name = image.Digest.Value,
                Manifest = image.Manifest,
                Signer = image.Signer,
                CreatedAt = image.CreatedAt,
            };
    }
}
