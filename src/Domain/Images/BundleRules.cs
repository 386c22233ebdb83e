namespace Muster.Domain.Images;

/// <summary>What the statement of an image has to say of a bundle, and whether the bundle says the same.</summary>
public static class BundleRules
{
    /// <summary>What people write and read for a format.</summary>
    public static string NameOf(ImageFormat format) => format switch
    {
        ImageFormat.Detached => "detached",
        ImageFormat.RaucPlain => "rauc-plain",
        ImageFormat.RaucVerity => "rauc-verity",
        _ => throw new UnreachableException($"Unknown image format {format}."),
    };

    /// <summary>Null when format, signature and compatible of a request go together.</summary>
    public static FleetError? CheckRequest(ImageRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var manifest = request.Manifest;
        switch (manifest.Format)
        {
            case ImageFormat.Detached:
                return manifest.Compatible is null
                    ? CheckDetached(request)
                    : ImageErrors.FieldInvalid("compatible", "only a verity bundle has it");
            case ImageFormat.RaucPlain when manifest.Compatible is not null:
                return ImageErrors.FieldInvalid("compatible", "a plain bundle hides it in its file system, where it is not read");
            case ImageFormat.RaucVerity when manifest.Compatible is not { Length: > 0 and <= ImageBundle.TextMax }:
                return ImageErrors.FieldInvalid(
                    "compatible", $"what the bundle's manifest states, at most {ImageBundle.TextMax} characters");
            case ImageFormat.RaucPlain or ImageFormat.RaucVerity:
                return request.Signature.IsDefaultOrEmpty
                    ? null
                    : ImageErrors.FieldInvalid("signature", "none: a bundle holds its own");
            default:
                return ImageErrors.FieldInvalid("format", "a detached signature, a plain bundle or a verity bundle");
        }
    }

    /// <summary>Null when what was found is what is stated. Of a plain bundle nothing but its format can be compared.</summary>
    public static FleetError? CheckContent(ImageManifest manifest, ImageBundle? found)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var format = found?.Format ?? ImageFormat.Detached;
        if (format != manifest.Format)
        {
            return ImageErrors.BundleMismatch("format", NameOf(manifest.Format), NameOf(format));
        }

        if (found is null || format == ImageFormat.RaucPlain)
        {
            return null;
        }

        if (found.Version != manifest.Version)
        {
            return ImageErrors.BundleMismatch("version", manifest.Version, found.Version ?? "");
        }

        return found.Compatible == manifest.Compatible
            ? null
            : ImageErrors.BundleMismatch("compatible", manifest.Compatible ?? "", found.Compatible ?? "");
    }

    private static FleetError? CheckDetached(ImageRequest request)
    {
        if (request.Signature.IsDefaultOrEmpty)
        {
            return ImageErrors.SignatureMissing();
        }

        return request.Signature.Length > ImageManifest.SignatureBytesMax
            ? ImageErrors.SignatureInvalid($"it is longer than {ImageManifest.SignatureBytesMax} bytes")
            : null;
    }
}
