using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Domain.Images;

/// <summary>
/// What the publisher states of an image. A detached signature covers the file's bytes alone; version, track and models are the uploader's
/// word where no signed catalogue names it. A verity bundle's signature covers its version and what it is compatible with.
/// </summary>
/// <param name="Version">As the vendor writes it; readable as <see cref="OsVersion"/>.</param>
/// <param name="Track">The track it belongs to.</param>
/// <param name="Models">The products it is for, each once, ordered by ordinal; at least one.</param>
/// <param name="SizeBytes">The exact length of the file.</param>
[GenerateSerializer, Immutable, Alias("muster.image-manifest")]
public sealed record ImageManifest(
    [property: Id(0)] string Version,
    [property: Id(1)] ImageTrack Track,
    [property: Id(2)] ImmutableArray<string> Models,
    [property: Id(3)] long SizeBytes)
{
    /// <summary>How the file is signed.</summary>
    [Id(20)] public ImageFormat Format { get; init; }

    /// <summary>The systems that a verity bundle is for, as RAUC compares it; null of every other format.</summary>
    [Id(21)] public string? Compatible { get; init; }

    /// <summary>One image serves a product family; vendors list some dozens at most.</summary>
    public const int ModelsMax = 64;

    /// <summary>Four times the largest camera image known; bounds disk and the time of one verification.</summary>
    public const long SizeBytesMax = 1L << 30;

    /// <summary>A signature with a chain of three certificates takes 4 KiB; it travels with every offer.</summary>
    public const int SignatureBytesMax = 16 * 1024;

    /// <summary>Null in records of earlier versions.</summary>
    [Id(4)] public ImageRelease? Stated { get; init; }

    /// <summary>What is stated of the release beside.</summary>
    public ImageRelease Release => Stated ?? ImageRelease.None;

    /// <summary>
    /// SHA-256 of everything that is stated, 64 lower-case hex digits: what approvals are bound to, beside the digest. Each field ends with
    /// a sign that none may have, so that two statements never run together.
    /// </summary>
    public string Fingerprint
    {
        get
        {
            const char End = '\u001f';
            var (release, conditions) = (Release, Release.Conditions);
            string[] fields =
            [
                Version, Track.Value, string.Join(',', Models), SizeBytes.ToString(CultureInfo.InvariantCulture),
                Day(release.ReleasedOn), Day(release.SupportedFrom), Day(release.SupportedUntil), release.Sbom,
                string.Join(',', release.FixedVulnerabilities),
                conditions.MinFromVersion, string.Join(',', conditions.Steps), conditions.SecurityFloor, release.Notes,
                BundleRules.NameOf(Format), Compatible ?? "",
            ];
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(End, fields))));
        }
    }

    public bool Equals(ImageManifest? other) =>
        other is not null && Version == other.Version && Track == other.Track && SizeBytes == other.SizeBytes
        && Format == other.Format && Compatible == other.Compatible
        && Models.AsSpan().SequenceEqual(other.Models.AsSpan()) && Release == other.Release;

    public override int GetHashCode() => HashCode.Combine(Version, Track, SizeBytes, Models.Length);

    private static string Day(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "";
}
