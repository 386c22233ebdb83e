using Muster.Domain.Identity;

namespace Muster.Domain.Anchors;

/// <summary>Decides which makers a tenant believes, and that no serial has two of them.</summary>
public static class AnchorRules
{
    /// <summary>Makers of one tenant's devices; a video system has a handful, a building some dozens.</summary>
    public const int AnchorsMax = 64;

    /// <summary>Of one anchor. Axis has published six in ten years.</summary>
    public const int CertificatesMax = 32;

    /// <summary>
    /// Of a tenant. The set is one record, and one message to each gateway when it changes: 256 of 2 kB are half a megabyte.
    /// </summary>
    public const int CertificatesOfTenantMax = 256;

    /// <summary><see cref="CertificatesMax"/> certificates with RSA-4096 keys, and the text that tools write around them.</summary>
    public const int PemLengthMax = 128 * 1024;

    /// <summary>Real CA certificates have 0.5 to 2 kB.</summary>
    public const int CertificateBytesMax = 8 * 1024;

    /// <summary>Beginnings that a maker's numbers have; one that needs more has no scheme.</summary>
    public const int SerialPrefixesMax = 32;

    /// <summary>As long as a serial can be (X.520).</summary>
    public const int SerialPrefixLengthMax = 64;

    /// <summary>For people; two hundred characters are more than names of CAs have.</summary>
    public const int SubjectLengthMax = 200;

    /// <summary>
    /// Adds an anchor, or certificates to one. What is there already changes nothing; a certificate of another anchor, or serials that
    /// another one speaks for, are refused.
    /// </summary>
    /// <param name="current">The tenant's anchors.</param>
    /// <param name="spec">Which anchor, and what it may speak for; of an existing one it has to be the same.</param>
    /// <param name="certificates">Read from the operator's PEM, each good in itself.</param>
    /// <param name="reader">Knows which certificate stands under which.</param>
    /// <param name="now">The instant of the change.</param>
    public static Decision<AnchorSet> Add(
        AnchorSet current,
        AnchorSpec spec,
        ImmutableArray<AnchorCertificate> certificates,
        IAnchorCertificateReader reader,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(reader);
        var existing = Find(current, spec.Id);
        if (existing is not null && existing.Spec != spec)
        {
            return Decision.Refuse(current, AnchorErrors.Exists(existing.Spec));
        }

        if ((existing is null ? CheckNew(current, spec) : null) is { } refused)
        {
            return Decision.Refuse(current, refused);
        }

        var known = existing?.Certificates ?? [];
        var added = certificates.Where(one => known.All(other => other.Sha256 != one.Sha256)).ToImmutableArray();
        if (added.IsEmpty)
        {
            return existing is null
                ? Decision.Refuse(current, AnchorErrors.Invalid("pem", "it has no certificate"))
                : Decision.Unchanged(current);
        }

        if (CheckAdded(current, spec, added, known.AddRange(added), reader) is { } wrong)
        {
            return Decision.Refuse(current, wrong);
        }

        return existing is null
            ? Decision.Accept(
                Change(current, current.Anchors.Add(new TrustAnchor(spec, added, now)), now), new AnchorAdded(spec, NamesOf(added)))
            : Decision.Accept(
                Change(current, current.Anchors.Replace(existing, existing with { Certificates = known.AddRange(added) }), now),
                new AnchorCertificatesAdded(spec.Id, NamesOf(added)));
    }

    /// <summary>Removes an anchor, or one certificate of it; with its last certificate the anchor goes.</summary>
    /// <param name="current">The tenant's anchors.</param>
    /// <param name="id">Which anchor.</param>
    /// <param name="certificate">The certificate; null for all of them.</param>
    /// <param name="reader">Knows which certificate stands under which.</param>
    /// <param name="now">The instant of the change.</param>
    public static Decision<AnchorSet> Remove(
        AnchorSet current, ResourceId id, Sha256Hash? certificate, IAnchorCertificateReader reader, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(reader);
        if (Find(current, id) is not { } anchor)
        {
            return Decision.Refuse(current, AnchorErrors.NotFound(id));
        }

        if (certificate is not { } hash)
        {
            return RemoveAll(current, anchor, now);
        }

        if (anchor.Certificates.FirstOrDefault(one => one.Sha256 == hash) is not { } removed)
        {
            return Decision.Refuse(current, AnchorErrors.CertificateNotFound(id, hash.ToString()));
        }

        var rest = anchor.Certificates.Remove(removed);
        if (rest.IsEmpty)
        {
            return RemoveAll(current, anchor, now);
        }

        return reader.FindLoose(rest) is { } loose
            ? Decision.Refuse(current, AnchorErrors.RootMissing(loose.Subject))
            : Decision.Accept(
                Change(current, current.Anchors.Replace(anchor, anchor with { Certificates = rest }), now),
                new AnchorCertificateRemoved(id, new AnchorCertificateName(removed.Sha256, removed.Subject)));
    }

    public static TrustAnchor? Find(AnchorSet set, ResourceId anchor)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Anchors.FirstOrDefault(one => one.Spec.Id == anchor);
    }

    private static Decision<AnchorSet> RemoveAll(AnchorSet current, TrustAnchor anchor, DateTimeOffset now) => Decision.Accept(
        Change(current, current.Anchors.Remove(anchor), now), new AnchorRemoved(anchor.Spec, NamesOf(anchor.Certificates)));

    private static FleetError? CheckNew(AnchorSet current, AnchorSpec spec)
    {
        if (CheckSpec(spec) is { } invalid)
        {
            return invalid;
        }

        if (current.Anchors.Length >= AnchorsMax)
        {
            return AnchorErrors.LimitReached($"{AnchorsMax} anchors");
        }

        if (spec.SerialPrefixes.FirstOrDefault(AnchorProfiles.IsOfAxis) is { } axis)
        {
            return AnchorErrors.SerialsTaken(axis, AnchorProfiles.Axis);
        }

        foreach (var other in current.Anchors.Where(other => other.Spec.Profile == spec.Profile))
        {
            // The profile axis has no prefixes: there is one anchor of it.
            var both = AnchorProfiles.PrefixesOf(spec).Intersect(AnchorProfiles.PrefixesOf(other.Spec), StringComparer.Ordinal);
            if (both.FirstOrDefault() is { } taken)
            {
                return AnchorErrors.SerialsTaken(taken.Length == 0 ? "all others" : taken, other.Spec.Id.Value);
            }
        }

        return null;
    }

    private static FleetError? CheckSpec(AnchorSpec spec)
    {
        if (spec.Profile is not (AnchorProfile.Axis or AnchorProfile.Ieee8021Ar))
        {
            return AnchorErrors.Invalid("profile", $"it is {AnchorProfiles.Axis} or {AnchorProfiles.Ieee8021Ar}");
        }

        if (spec.Profile == AnchorProfile.Axis && !spec.SerialPrefixes.IsEmpty)
        {
            return AnchorErrors.Invalid("serial_prefixes", "the profile axis speaks for the MAC addresses of Axis and nothing else");
        }

        return spec.SerialPrefixes.Length > SerialPrefixesMax
            || spec.SerialPrefixes.Any(prefix => prefix.Length is 0 or > SerialPrefixLengthMax || prefix.Any(char.IsControl))
            || spec.SerialPrefixes.Distinct(StringComparer.Ordinal).Count() != spec.SerialPrefixes.Length
            ? AnchorErrors.Invalid(
                "serial_prefixes",
                $"at most {SerialPrefixesMax}, each of 1 to {SerialPrefixLengthMax} visible characters and once")
            : null;
    }

    private static FleetError? CheckAdded(
        AnchorSet current,
        AnchorSpec spec,
        ImmutableArray<AnchorCertificate> added,
        ImmutableArray<AnchorCertificate> all,
        IAnchorCertificateReader reader)
    {
        if (all.Length > CertificatesMax)
        {
            return AnchorErrors.LimitReached($"{CertificatesMax} certificates of one anchor");
        }

        if (current.Anchors.Sum(anchor => anchor.Certificates.Length) + added.Length > CertificatesOfTenantMax)
        {
            return AnchorErrors.LimitReached($"{CertificatesOfTenantMax} certificates of all anchors");
        }

        foreach (var other in current.Anchors.Where(other => other.Spec.Id != spec.Id))
        {
            // The same key under another certificate is the same authority.
            if (added.FirstOrDefault(one => other.Certificates.Any(known => known.KeySha256 == one.KeySha256)) is { } taken)
            {
                return AnchorErrors.CertificateTaken(taken.Subject, other.Spec.Id);
            }
        }

        return reader.FindLoose(all) is { } loose ? AnchorErrors.RootMissing(loose.Subject) : null;
    }

    private static AnchorSet Change(AnchorSet current, ImmutableArray<TrustAnchor> anchors, DateTimeOffset now) => new(
        current.Revision + 1, now, anchors.Sort((left, right) => string.CompareOrdinal(left.Spec.Id.Value, right.Spec.Id.Value)));

    private static ImmutableArray<AnchorCertificateName> NamesOf(ImmutableArray<AnchorCertificate> certificates) =>
        [.. certificates.Select(one => new AnchorCertificateName(one.Sha256, one.Subject))];
}
