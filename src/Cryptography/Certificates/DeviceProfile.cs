using System.Text.RegularExpressions;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// How the certificates under a root are read, and which serials that root may speak for. A serial is never served by two
/// profiles: what looks like an Axis serial is read by the profile <c>axis</c> only.
/// </summary>
internal abstract partial class DeviceProfile
{
    private const string AxisOrganization = "Axis Communications AB";
    private const string AxisRootPrefix = "Axis device ID Root CA";
    private const string AxisIntermediatePrefix = "Axis device ID Intermediate CA ";

    private static readonly DeviceProfile Axis = new AxisProfile();
    private static readonly DeviceProfile Ieee8021Ar = new Ieee8021ArProfile();

    private DeviceProfile(string name) => Name = name;

    public string Name { get; }

    /// <summary>The profile that an anchor states.</summary>
    public static DeviceProfile Of(AnchorProfile profile) => profile == AnchorProfile.Axis ? Axis : Ieee8021Ar;

    /// <summary>The profile of a root whose anchor states none.</summary>
    public static DeviceProfile OfRoot(X500DistinguishedName root) => IsAxis(root, AxisRootPrefix) ? Axis : Ieee8021Ar;

    /// <summary>
    /// Whether the authority directly above has to be one of the trust store, by name and key. Axis numbers its intermediates per family
    /// and publishes them; another one, even under the real root, is asked for by an operator and never brought along by a device.
    /// </summary>
    public abstract bool NeedsKnownIssuer { get; }

    /// <summary>True when an anchor's prefixes say which serials are its own; serials of Axis are the profile's alone.</summary>
    public bool HasSerialPrefixes => !NeedsKnownIssuer;

    /// <summary>What speaks against an authority as an anchor of this profile; null for nothing.</summary>
    public abstract string? FaultOfAuthority(X509Certificate2 authority, bool isRoot);

    /// <summary>The serial in canonical form, or what is wrong.</summary>
    public abstract (string? Serial, string? Fault) ReadSerial(X509Certificate2 certificate);

    private static bool IsAxis(X500DistinguishedName name, string prefix) =>
        CertificateFacts.Single(name, CertificateFacts.Organization) == AxisOrganization
        && CertificateFacts.Single(name, CertificateFacts.CommonName) is { } commonName
        && commonName.StartsWith(prefix, StringComparison.Ordinal);

    [GeneratedRegex("^axis-([0-9a-f]{12})-(eccp256|rsa2048|rsa4096)-[0-9]{1,4}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex AxisCommonName();

    private sealed class AxisProfile() : DeviceProfile(AnchorProfiles.Axis)
    {
        public override bool NeedsKnownIssuer => true;

        public override string? FaultOfAuthority(X509Certificate2 authority, bool isRoot) =>
            IsAxis(authority.SubjectName, isRoot ? AxisRootPrefix : AxisIntermediatePrefix)
                ? null
                : $"the profile {Name} has authorities of '{AxisOrganization}' whose names begin with '"
                    + (isRoot ? AxisRootPrefix : AxisIntermediatePrefix) + "'";

        public override (string? Serial, string? Fault) ReadSerial(X509Certificate2 certificate)
        {
            if (!IsAxis(certificate.IssuerName, AxisIntermediatePrefix))
            {
                return (null, "it is not directly under an Axis device ID intermediate CA");
            }

            var serial = CertificateFacts.Single(certificate.SubjectName, CertificateFacts.SerialNumber)?.ToUpperInvariant();
            if (serial is null || !AxisSerial.Is(serial))
            {
                return (null, "its subject's serialNumber is not the MAC address of an Axis device");
            }

            var commonName = CertificateFacts.Single(certificate.SubjectName, CertificateFacts.CommonName) ?? "";
            var match = AxisCommonName().Match(commonName);
            return match.Success && match.Groups[1].Value.Equals(serial, StringComparison.OrdinalIgnoreCase)
                ? (serial, null)
                : (null, "its common name does not name the same MAC address as its serialNumber");
        }
    }

    private sealed class Ieee8021ArProfile() : DeviceProfile(AnchorProfiles.Ieee8021Ar)
    {
        public override bool NeedsKnownIssuer => false;

        public override string? FaultOfAuthority(X509Certificate2 authority, bool isRoot) =>
            IsAxis(authority.SubjectName, AxisRootPrefix) || IsAxis(authority.SubjectName, AxisIntermediatePrefix)
                ? $"it has the name of an authority of Axis, whose profile is {AnchorProfiles.Axis}"
                : null;

        public override (string? Serial, string? Fault) ReadSerial(X509Certificate2 certificate)
        {
            var serial = CertificateFacts.Single(certificate.SubjectName, CertificateFacts.SerialNumber);
            if (string.IsNullOrWhiteSpace(serial))
            {
                return (null, "its subject has not exactly one serialNumber (IEEE 802.1AR)");
            }

            // Percent-encoding would give another id, but a person reading it could not tell the two apart.
            return AxisSerial.Is(serial.ToUpperInvariant())
                ? (null, "its serialNumber is an Axis serial, which its root may not speak for")
                : (serial, null);
        }
    }
}
