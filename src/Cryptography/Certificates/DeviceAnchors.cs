using System.Collections.Frozen;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// The makers that one tenant believes: the anchors of the API, and those of a trust folder beside them. Made once for each change, and
/// never altered.
/// </summary>
public sealed class DeviceAnchors
{
    private readonly FrozenDictionary<Sha256Hash, int> _anchorOfRoot;
    private readonly FrozenSet<Sha256Hash> _held;
    private readonly ImmutableArray<AnchorSpec> _specs;

    /// <param name="folder">Roots and intermediates of the folder; their profile goes by the root's name.</param>
    /// <param name="set">The anchors of the API. A root that is in both is theirs.</param>
    public DeviceAnchors(IEnumerable<X509Certificate2> folder, AnchorSet set)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(set);
        var roots = new Dictionary<Sha256Hash, int>();
        var certificates = new List<X509Certificate2>();
        var held = new HashSet<Sha256Hash>();
        for (var i = 0; i < set.Anchors.Length; i++)
        {
            foreach (var certificate in set.Anchors[i].Certificates.Where(one => held.Add(one.Sha256)))
            {
                certificates.Add(X509CertificateLoader.LoadCertificate(certificate.Der.AsSpan()));
                if (certificate.IsRoot)
                {
                    roots[certificate.Sha256] = i;
                }
            }
        }

        certificates.AddRange(folder.Where(certificate => held.Add(TrustStore.HashOf(certificate))));
        Store = new TrustStore(certificates);
        _specs = [.. set.Anchors.Select(anchor => anchor.Spec)];
        (_anchorOfRoot, _held) = (roots.ToFrozenDictionary(), held.ToFrozenSet());
    }

    /// <summary>All of them: what a chain may end in, and what may stand between.</summary>
    internal TrustStore Store { get; }

    /// <summary>True while all of these certificates are still believed.</summary>
    public bool Hold(ImmutableArray<Sha256Hash> certificates) => certificates.All(_held.Contains);

    /// <summary>Those of a chain that stand here.</summary>
    internal ImmutableArray<Sha256Hash> HeldOf(ImmutableArray<Sha256Hash> chain) => [.. chain.Where(_held.Contains)];

    /// <summary>How certificates under this root are read.</summary>
    internal DeviceProfile ProfileOf(X500DistinguishedName root, Sha256Hash hash) =>
        _anchorOfRoot.TryGetValue(hash, out var anchor) ? DeviceProfile.Of(_specs[anchor].Profile) : DeviceProfile.OfRoot(root);

    /// <summary>Why this root may not speak for a serial of the profile <c>ieee8021ar</c>; null when it may.</summary>
    internal string? FaultOfSerial(Sha256Hash root, string serial)
    {
        var speaker = AnchorProfiles.FindSpeaker(_specs, serial);
        var own = _anchorOfRoot.TryGetValue(root, out var anchor) ? anchor : -1;

        // -1 for both: a root of the folder, and a serial that no anchor names.
        return speaker == own ? null
            : speaker < 0 ? $"the anchor '{_specs[own].Id}' does not speak for serials like '{serial}'"
            : $"serials like '{serial}' are spoken for by the anchor '{_specs[speaker].Id}', which its root is not of";
    }
}
