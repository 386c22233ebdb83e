using Muster.Domain.Identity;

namespace Muster.Domain.Anchors;

/// <summary>How the certificates of the devices under an anchor are read.</summary>
public enum AnchorProfile
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Device identities of Axis: the serial is a MAC address of Axis, and no other profile may speak for one.</summary>
    Axis = 1,

    /// <summary>IEEE 802.1AR: the serial is the subject's serialNumber, and no MAC address of Axis.</summary>
    Ieee8021Ar = 2,
}

/// <summary>One certificate of a maker's CA.</summary>
/// <param name="Sha256">Fingerprint of its DER form.</param>
/// <param name="KeySha256">Hash of its SubjectPublicKeyInfo.</param>
/// <param name="IsRoot">True when it is trusted itself; false for an intermediate, which has to stand under a root of its anchor.</param>
/// <param name="Subject">For people, at most <see cref="AnchorRules.SubjectLengthMax"/> characters.</param>
/// <param name="NotAfter">When it ends; null for never.</param>
/// <param name="Der">The certificate.</param>
[GenerateSerializer, Immutable, Alias("muster.anchor-certificate")]
public sealed record AnchorCertificate(
    [property: Id(0)] Sha256Hash Sha256,
    [property: Id(1)] Sha256Hash KeySha256,
    [property: Id(2)] bool IsRoot,
    [property: Id(3)] string Subject,
    [property: Id(4)] DateTimeOffset? NotAfter,
    [property: Id(5)] ImmutableArray<byte> Der);

/// <summary>What an operator says of a maker whose devices are believed.</summary>
/// <param name="Id">The maker's name here, for example <c>acme</c>.</param>
/// <param name="Profile">How its certificates are read.</param>
/// <param name="SerialPrefixes">
/// Beginnings of the serials that it may speak for, in ordinal order; empty for every serial of the profile that no other anchor names.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.anchor-spec")]
public sealed record AnchorSpec(
    [property: Id(0)] ResourceId Id,
    [property: Id(1)] AnchorProfile Profile,
    [property: Id(2)] ImmutableArray<string> SerialPrefixes)
{
    public bool Equals(AnchorSpec? other) =>
        other is not null && Id == other.Id && Profile == other.Profile && SerialPrefixes.SequenceEqual(other.SerialPrefixes);

    public override int GetHashCode() => HashCode.Combine(Id, Profile, SerialPrefixes.Length);
}

/// <summary>A maker's trust anchor: its certificates, and the serials that they may speak for.</summary>
/// <param name="Spec">What it may speak for.</param>
/// <param name="Certificates">Roots and intermediates, in the order they came.</param>
/// <param name="CreatedAt">When the first of them came.</param>
[GenerateSerializer, Immutable, Alias("muster.trust-anchor")]
public sealed record TrustAnchor(
    [property: Id(0)] AnchorSpec Spec,
    [property: Id(1)] ImmutableArray<AnchorCertificate> Certificates,
    [property: Id(2)] DateTimeOffset CreatedAt);

/// <summary>All anchors of a tenant that are managed through the API.</summary>
/// <param name="Revision">From 1, grows with every change; 0 before the first.</param>
/// <param name="ChangedAt">When that was. A store that went back in time may give a revision twice, never with the same instant.</param>
/// <param name="Anchors">By id.</param>
[GenerateSerializer, Immutable, Alias("muster.anchor-set")]
public sealed record AnchorSet(
    [property: Id(0)] long Revision,
    [property: Id(1)] DateTimeOffset ChangedAt,
    [property: Id(2)] ImmutableArray<TrustAnchor> Anchors)
{
    /// <summary>No anchor was ever added.</summary>
    public static AnchorSet Empty { get; } = new(0, default, []);
}
