using System.Text.RegularExpressions;

namespace Muster.Domain.Images;

/// <summary>Decides whether the statement of a release makes sense.</summary>
public static partial class ImageReleaseRules
{
    private const string DigestScheme = "sha256:";

    /// <summary>What is wrong with the release of an image of that version and track; null when nothing is.</summary>
    public static FleetError? Check(ImageRelease release, OsVersion version, ImageTrack track)
    {
        ArgumentNullException.ThrowIfNull(release);
        if (release.Notes.Length > ImageRelease.NotesCharactersMax)
        {
            return ImageErrors.FieldInvalid("notes", $"at most {ImageRelease.NotesCharactersMax} characters");
        }

        if (release.FixedVulnerabilities.Length > ImageRelease.FixedVulnerabilitiesMax
            || !release.FixedVulnerabilities.All(IsVulnerability)
            || release.FixedVulnerabilities.Distinct(StringComparer.Ordinal).Count() != release.FixedVulnerabilities.Length)
        {
            return ImageErrors.FieldInvalid(
                "fixed_vulnerabilities", $"at most {ImageRelease.FixedVulnerabilitiesMax} such as CVE-2025-9524, each once");
        }

        if (!IsSbom(release.Sbom))
        {
            return ImageErrors.FieldInvalid(
                "sbom",
                $"an https address of at most {ImageRelease.SbomCharactersMax} characters, or sha256: and 64 lower-case hex digits");
        }

        return CheckSupport(release, track) ?? CheckConditions(release.Conditions, version);
    }

    /// <summary>The syntax of an id of cve.org: the year, and four digits or more.</summary>
    public static bool IsVulnerability(string text) => Vulnerability().IsMatch(text);

    private static FleetError? CheckSupport(ImageRelease release, ImageTrack track)
    {
        if (release.SupportedFrom is null && release.SupportedUntil is null)
        {
            return null;
        }

        if (!track.IsLongTerm)
        {
            return ImageErrors.FieldInvalid(
                "supported_until", "only of a long-term-support line; of the active track the newest is supported");
        }

        return release.SupportedFrom > release.SupportedUntil
            ? ImageErrors.FieldInvalid("supported_until", "not before supported_from")
            : null;
    }

    private static FleetError? CheckConditions(ImageConditions conditions, OsVersion version)
    {
        if (!IsAtMost(conditions.MinFromVersion, version))
        {
            return ImageErrors.FieldInvalid("min_from_version", "an OS version not above the image's own, or empty");
        }

        if (!IsAtMost(conditions.SecurityFloor, version))
        {
            return ImageErrors.FieldInvalid("security_floor", "an OS version not above the image's own, or empty");
        }

        var below = default(OsVersion);
        foreach (var step in conditions.Steps)
        {
            if (!OsVersion.TryParse(step, out var next) || next <= below || next >= version)
            {
                return ImageErrors.FieldInvalid("required_steps", "OS versions below the image's own, ascending");
            }

            below = next;
        }

        return conditions.Steps.Length > ImageConditions.StepsMax
            ? ImageErrors.FieldInvalid("required_steps", $"at most {ImageConditions.StepsMax}")
            : null;
    }

    private static bool IsAtMost(string text, OsVersion version) =>
        text.Length == 0 || (OsVersion.TryParse(text, out var stated) && stated <= version);

    private static bool IsSbom(string sbom)
    {
        if (sbom.Length == 0)
        {
            return true;
        }

        return sbom.StartsWith(DigestScheme, StringComparison.Ordinal)
            ? ImageDigest.TryParse(sbom[DigestScheme.Length..], out _)
            : sbom.Length <= ImageRelease.SbomCharactersMax
                && Uri.TryCreate(sbom, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps;
    }

    [GeneratedRegex("^CVE-[0-9]{4}-[0-9]{4,19}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Vulnerability();
}
