using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Domain.Images;

namespace Muster.Domain.Catalogues;

/// <summary>
/// Reads the JSON document of a catalogue. What it does not know it refuses: a field that is passed over was signed for nothing.
/// </summary>
public static class CatalogueDocument
{
    /// <summary>Tells the document from everything else that the publisher may have signed.</summary>
    public const string TypeName = "muster.catalogue/v1";

    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
    };

    /// <summary>The version, its times and its releases; who signed and who imports it is for the caller.</summary>
    public static (Catalogue? Catalogue, FleetError? Error) Read(
        ReadOnlySpan<byte> document, ImageContent content, ImageSigner signer, Actor importer, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(content);
        Document? read;
        try
        {
            read = JsonSerializer.Deserialize<Document>(document, Strict);
        }
        catch (JsonException fault)
        {
            return (null, CatalogueErrors.Invalid(fault.Message.TrimEnd('.')));
        }

        if (read is not { Type: TypeName, Version: > 0, Releases: { Count: <= Catalogue.ReleasesMax } entries })
        {
            return (null, CatalogueErrors.Invalid(
                $"it has a type '{TypeName}', a version above 0 and at most {Catalogue.ReleasesMax} releases"));
        }

        var releases = new SortedDictionary<ImageDigest, CatalogueRelease>();
        for (var i = 0; i < entries.Count; i++)
        {
            var (release, fault) = ReadRelease(entries[i]);
            if (release is null || !releases.TryAdd(release.Digest, release))
            {
                return (null, CatalogueErrors.Invalid($"releases[{i}]: {fault ?? "its digest is there already"}"));
            }
        }

        return (new Catalogue
        {
            Version = read.Version,
            IssuedAt = read.IssuedAt,
            ExpiresAt = read.ExpiresAt,
            Releases = [.. releases.Values],
            DocumentSha256 = content.Digest.Value,
            Signer = signer,
            ImportedBy = importer,
            ImportedAt = now,
        }, null);
    }

    private static (CatalogueRelease? Release, string? Fault) ReadRelease(Release entry)
    {
        if (!ImageDigest.TryParse(entry.Digest, out var digest))
        {
            return (null, "the digest is a SHA-256 in 64 lower-case hex digits");
        }

        if (!ImageTrack.TryParse(entry.Track, out var track))
        {
            return (null, "the track is active, or a long-term-support line such as 12.11");
        }

        var manifest = new ImageManifest(entry.Version, track, Sorted(entry.Models), entry.SizeBytes)
        {
            Stated = new ImageRelease
            {
                ReleasedOn = entry.ReleasedOn,
                Notes = entry.Notes,
                FixedVulnerabilities = Sorted(entry.FixedVulnerabilities),
                Conditions = new ImageConditions
                {
                    MinFromVersion = entry.MinFromVersion,
                    Steps = [.. entry.RequiredSteps],
                    SecurityFloor = entry.SecurityFloor,
                },
                Sbom = entry.Sbom,
                SupportedFrom = entry.SupportedFrom,
                SupportedUntil = entry.SupportedUntil,
            },
        };
        return ImageRules.CheckStatement(manifest) is { } error
            ? (null, error.Message.TrimEnd('.'))
            : (new CatalogueRelease(digest, manifest), null);
    }

    private static ImmutableArray<string> Sorted(IEnumerable<string> values) =>
        [.. values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private sealed record Document(
        string Type, long Version, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, IReadOnlyList<Release> Releases);

    private sealed record Release(string Digest, string Version, string Track, IReadOnlyList<string> Models, long SizeBytes)
    {
        public DateOnly? ReleasedOn { get; init; }

        public string Notes { get; init; } = "";

        public IReadOnlyList<string> FixedVulnerabilities { get; init; } = [];

        public string MinFromVersion { get; init; } = "";

        public IReadOnlyList<string> RequiredSteps { get; init; } = [];

        public string SecurityFloor { get; init; } = "";

        public string Sbom { get; init; } = "";

        public DateOnly? SupportedFrom { get; init; }

        public DateOnly? SupportedUntil { get; init; }
    }
}
