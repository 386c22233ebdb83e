using Muster.Domain.Images;

namespace Muster.Domain.Catalogues;

/// <summary>Decides which catalogue is in force, and what it means for an image.</summary>
public static class CatalogueRules
{
    /// <summary>What the publisher's clock may be ahead of ours.</summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Takes a newer catalogue. An older one, another one of the same version, and one that has expired are refused; the same one again
    /// changes nothing.
    /// </summary>
    public static Decision<CatalogueState> Import(CatalogueState state, Catalogue offered)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(offered);
        if (state.Catalogue is { } known && offered.Version <= known.Version)
        {
            return offered.Version == known.Version && offered.DocumentSha256 == known.DocumentSha256
                ? Decision.Unchanged(state)
                : Decision.Refuse(state, CatalogueErrors.RolledBack(known.Version, offered.Version));
        }

        if (offered.ExpiresAt <= offered.ImportedAt)
        {
            return Decision.Refuse(state, CatalogueErrors.Expired(offered.Version, offered.ExpiresAt));
        }

        return offered.IssuedAt > offered.ImportedAt + SkewMax
            ? Decision.Refuse(state, CatalogueErrors.Invalid("it is issued in the future"))
            : Decision.Accept(
                state with { Catalogue = offered },
                new CatalogueImported(
                    offered.Version, offered.DocumentSha256, offered.ExpiresAt, offered.Releases.Length, offered.Signer));
    }

    /// <summary>Whether images have to be in the catalogue to be published.</summary>
    public static Decision<CatalogueState> Require(CatalogueState state, bool isRequired)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.IsRequired == isRequired
            ? Decision.Unchanged(state)
            : Decision.Accept(state with { IsRequired = isRequired }, new CatalogueRequirementChanged(isRequired));
    }

    /// <summary>What the state says of one image.</summary>
    public static CatalogueWord WordOf(CatalogueState state, ImageDigest digest)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Catalogue is { } catalogue
            ? new CatalogueWord(catalogue.Find(digest), state.IsRequired, catalogue.Version, catalogue.ExpiresAt)
            : CatalogueWord.None with { IsRequired = state.IsRequired };
    }

    /// <summary>
    /// The statement that an image gets: the catalogue's, when it is in force and names the image. What was stated may leave out what the
    /// catalogue says of the release; what it does state has to be the same.
    /// </summary>
    public static (ImageManifest Manifest, FleetError? Error) Complete(
        ImageDigest digest, ImageManifest stated, CatalogueWord word, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(stated);
        ArgumentNullException.ThrowIfNull(word);
        if (word.Manifest is not { } signed || word.ExpiresAt <= now)
        {
            return (stated, null);
        }

        return FindContradiction(stated, signed) is { } field
            ? (stated, CatalogueErrors.Contradicted(digest, field, word.Version))
            : (stated with { Stated = signed.Release }, null);
    }

    /// <summary>Whether an image with that statement may be published now; null when it may.</summary>
    public static FleetError? CheckPublication(ImageDigest digest, ImageManifest manifest, CatalogueWord word, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(word);
        if (word.Manifest is not { } signed)
        {
            return word.IsRequired ? CatalogueErrors.NotListed(digest) : null;
        }

        if (word.ExpiresAt is { } expiresAt && expiresAt <= now)
        {
            return CatalogueErrors.Expired(word.Version, expiresAt);
        }

        // A draft may be older than the catalogue: then it has to be stated anew.
        var field = FindContradiction(manifest, signed) ?? (manifest.Release == signed.Release ? null : "release");
        return field is null ? null : CatalogueErrors.Contradicted(digest, field, word.Version);
    }

    private static string? FindContradiction(ImageManifest stated, ImageManifest signed)
    {
        var (release, other) = (stated.Release, signed.Release);
        (string Field, bool IsSame)[] fields =
        [
            ("version", stated.Version == signed.Version),
            ("track", stated.Track == signed.Track),
            ("models", stated.Models.AsSpan().SequenceEqual(signed.Models.AsSpan())),
            ("size_bytes", stated.SizeBytes == signed.SizeBytes),
            ("released_on", release.ReleasedOn is null || release.ReleasedOn == other.ReleasedOn),
            ("notes", release.Notes.Length == 0 || release.Notes == other.Notes),
            ("fixed_vulnerabilities", release.FixedVulnerabilities.IsEmpty
                || release.FixedVulnerabilities.AsSpan().SequenceEqual(other.FixedVulnerabilities.AsSpan())),
            ("min_from_version", IsSame(release.Conditions.MinFromVersion, other.Conditions.MinFromVersion)),
            ("required_steps", release.Conditions.Steps.IsEmpty
                || release.Conditions.Steps.AsSpan().SequenceEqual(other.Conditions.Steps.AsSpan())),
            ("security_floor", IsSame(release.Conditions.SecurityFloor, other.Conditions.SecurityFloor)),
            ("sbom", IsSame(release.Sbom, other.Sbom)),
            ("supported_from", release.SupportedFrom is null || release.SupportedFrom == other.SupportedFrom),
            ("supported_until", release.SupportedUntil is null || release.SupportedUntil == other.SupportedUntil),
        ];
        return fields.Where(field => !field.IsSame).Select(field => field.Field).FirstOrDefault();
    }

    private static bool IsSame(string stated, string signed) => stated.Length == 0 || stated == signed;
}
