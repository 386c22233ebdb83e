using Muster.Domain.Images;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of an image: drafts, published and revoked ones.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-row")]
public sealed record ImageRow : InventoryRow
{
    [Id(0)] public required ImageManifest Manifest { get; init; }

    [Id(1)] public required ImageSigner Signer { get; init; }

    [Id(2)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Rows of earlier versions are of published images.</summary>
    [Id(3)] public ImageState State { get; init; } = ImageState.Published;

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)State),
        "version" => FieldValue.Of(Manifest.Version),
        "track" => FieldValue.Of(Manifest.Track.Value),
        "format" => FieldValue.Of(BundleRules.NameOf(Manifest.Format)),
        "created_at" => FieldValue.Of(CreatedAt),
        "released_on" => OfDay(Manifest.Release.ReleasedOn),
        "min_from_version" => FieldValue.Of(Manifest.Release.Conditions.MinFromVersion),
        "security_floor" => FieldValue.Of(Manifest.Release.Conditions.SecurityFloor),
        "supported_until" => OfDay(Manifest.Release.SupportedUntil),
        "fixed_vulnerabilities" => FieldValue.Of(Manifest.Release.FixedVulnerabilities.Contains(key) ? key : null),
        _ => FieldValue.None,
    };

    /// <summary>The row of an image as it is; null when it is not in the catalogue.</summary>
    public static ImageRow? Of(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.State is not (ImageState.Draft or ImageState.Published or ImageState.Revoked)
            ? null
            : new ImageRow
            {
                Tenant = image.Tenant,
                Name = image.Digest.Value,
                Manifest = image.Manifest,
                Signer = image.Signer,
                CreatedAt = image.CreatedAt,
                State = image.State,
            };
    }

    /// <summary>The first instant of a day, in UTC.</summary>
    private static FieldValue OfDay(DateOnly? day) =>
        FieldValue.Of(day is { } known ? new DateTimeOffset(known, TimeOnly.MinValue, TimeSpan.Zero) : null);
}
