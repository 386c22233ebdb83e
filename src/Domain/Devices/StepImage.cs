using Muster.Domain.Images;

namespace Muster.Domain.Devices;

/// <summary>
/// An image that takes devices over a step of another one, by what says whom it is for. How long it is and how it is signed the catalogue
/// says when it is offered.
/// </summary>
/// <param name="Digest">SHA-256 of the image file, 64 lower-case hex digits.</param>
/// <param name="Version">Its version.</param>
/// <param name="Track">Its track.</param>
/// <param name="Models">Models that it is for; empty for all.</param>
/// <param name="Conditions">What it can be installed over.</param>
[GenerateSerializer, Immutable, Alias("muster.step-image")]
public sealed record StepImage(
    [property: Id(0)] string Digest,
    [property: Id(1)] string Version,
    [property: Id(2)] string Track,
    [property: Id(3)] ImmutableArray<string> Models,
    [property: Id(4)] ImageConditions Conditions)
{
    /// <summary>Eight steps, each with the images of four product families that share a target: some kilobytes beside each offer.</summary>
    public const int PathMax = 32;

    /// <summary>It is of that version, however the two are written.</summary>
    public bool IsOf(string version) =>
        OsVersion.TryParse(Version, out var own) && OsVersion.TryParse(version, out var step) && own == step;

    public bool Equals(StepImage? other) =>
        other is not null
        && (Digest, Version, Track, Conditions) == (other.Digest, other.Version, other.Track, other.Conditions)
        && Models.AsSpan().SequenceEqual(other.Models.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Digest, Version, Track);
}
