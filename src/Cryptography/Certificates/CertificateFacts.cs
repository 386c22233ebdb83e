using System.Formats.Asn1;

namespace Muster.Cryptography.Certificates;

/// <summary>Reads what certificates say, without throwing because of what they say.</summary>
internal static class CertificateFacts
{
    public const string CommonName = "2.5.4.3";
    public const string SerialNumber = "2.5.4.5";
    public const string Organization = "2.5.4.10";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    public const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    /// <summary>RFC 5280 4.2.1.12: allows every usage.</summary>
    public const string AnyUsage = "2.5.29.37.0";

    private const string HardwareModuleName = "1.3.6.1.5.5.7.8.4";

    private const string SignatureWithParameters = "1.2.840.113549.1.1.10";

    /// <summary>RSA PKCS #1 and ECDSA with SHA-256, 384 and 512 (RFC 8017, RFC 5758), and Ed25519 and Ed448 (RFC 8410).</summary>
    private static readonly ImmutableHashSet<string> StrongSignatures =
    [
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
        "1.3.101.112", "1.3.101.113",
    ];

    /// <summary>SHA-256, 384 and 512 (RFC 4055).</summary>
    private static readonly ImmutableHashSet<string> StrongHashes =
        ["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"];

    private static readonly Asn1Tag OtherName = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>The one value of an attribute of a name; null when it is missing, repeated, part of a set or no visible text.</summary>
    public static string? Single(X500DistinguishedName name, string oid)
    {
        string? found = null;
        try
        {
            foreach (var part in name.EnumerateRelativeDistinguishedNames(reversed: false))
            {
                if (part.HasMultipleElements)
                {
                    return null;
                }

                if (part.GetSingleElementType().Value == oid)
                {
                    if (found is not null)
                    {
                        return null;
                    }

                    found = ReadText(part);
                    if (found is null)
                    {
                        return null;
                    }
                }
            }
        }
        catch (Exception fault) when (fault is CryptographicException or AsnContentException or ArgumentException)
        {
            return null;
        }

        return found;
    }

    /// <summary>How often an attribute stands in a name; a part that cannot be read counts, whatever it is.</summary>
    public static int Count(X500DistinguishedName name, string oid) => name.EnumerateRelativeDistinguishedNames(reversed: false)
        .Count(part => part.HasMultipleElements || part.GetSingleElementType().Value == oid);

    public static T? Extension<T>(X509Certificate2 certificate)
        where T : X509Extension => certificate.Extensions.OfType<T>().FirstOrDefault();

    /// <summary>Whether the extended key usages, if the certificate states any, contain one.</summary>
    public static bool AllowsUsage(X509Certificate2 certificate, string usage, bool isRequired)
    {
        var extension = Extension<X509EnhancedKeyUsageExtension>(certificate);
        return extension is null
            ? !isRequired
            : extension.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == usage || (!isRequired && oid.Value == AnyUsage));
    }

    /// <summary>Whether the key may sign, as far as the certificate says.</summary>
    public static bool AllowsSignatures(X509Certificate2 certificate) =>
        Extension<X509KeyUsageExtension>(certificate) is not { } usage || usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature);

    /// <summary>Whether the key may sign certificates, as far as the certificate says.</summary>
    public static bool AllowsSigningCertificates(X509Certificate2 certificate) =>
        Extension<X509KeyUsageExtension>(certificate) is not { } usage || usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign);

    /// <summary>
    /// When it ends; null for never. IEEE 802.1AR: year 9999 means no end. The framework gives local time that saturates east of
    /// Greenwich, so only the year is looked at.
    /// </summary>
    public static DateTimeOffset? EndOf(X509Certificate2 certificate) =>
        certificate.NotAfter.Year == DateTime.MaxValue.Year ? null : new DateTimeOffset(certificate.NotAfter).ToUniversalTime();

    public static bool IsAuthority(X509Certificate2 certificate) =>
        Extension<X509BasicConstraintsExtension>(certificate) is { CertificateAuthority: true };

    /// <summary>RSA from 2048 to 4096 bits with an odd exponent above 65536, ECDSA on P-256, P-384 or P-521 by name.</summary>
    public static bool HasStrongKey(PublicKey key)
    {
        try
        {
            using var ecdsa = key.GetECDsaPublicKey();
            if (ecdsa is not null)
            {
                return ecdsa.ExportParameters(includePrivateParameters: false).Curve is
                {
                    IsNamed: true,
                    Oid.FriendlyName: "nistP256" or "ECDSA_P256" or "nistP384" or "ECDSA_P384" or "nistP521" or "ECDSA_P521",
                };
            }

            using var rsa = key.GetRSAPublicKey();
            return rsa is { KeySize: >= 2048 and <= 4096 }
                && IsStrongExponent(rsa.ExportParameters(includePrivateParameters: false).Exponent);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>The key's SubjectPublicKeyInfo as this product writes it, however it was encoded where it came from.</summary>
    public static byte[] Canonical(PublicKey key)
    {
        using var ecdsa = key.GetECDsaPublicKey();
        using var rsa = key.GetRSAPublicKey();
        return ecdsa?.ExportSubjectPublicKeyInfo() ?? rsa?.ExportSubjectPublicKeyInfo() ?? [];
    }

    /// <summary>NIST FIPS 186-5 A.1.1: odd and above 2^16; longer ones than four bytes only cost whoever verifies.</summary>
    private static bool IsStrongExponent(ReadOnlySpan<byte> exponent) => exponent.Length is 3 or 4 && (exponent[^1] & 1) == 1;

    /// <summary>Whether the signature's hash is of the SHA-2 family; for RSASSA-PSS the parameters name it, and none means SHA-1.</summary>
    public static bool HasStrongSignature(X509Certificate2 certificate)
    {
        if (certificate.SignatureAlgorithm.Value is not SignatureWithParameters)
        {
            return certificate.SignatureAlgorithm.Value is { } algorithm && StrongSignatures.Contains(algorithm);
        }

        try
        {
            var parts = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
            parts.ReadEncodedValue();
            var parameters = parts.ReadSequence();
            parameters.ReadObjectIdentifier();
            var hash = parameters.ReadSequence().ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
            return StrongHashes.Contains(hash.ReadObjectIdentifier());
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>
    /// The hardware module that holds the key (RFC 4108 hardwareModuleName in the subject alternative name): its type, an object
    /// identifier, and its serial, upper-case hex; both empty when the certificate names none.
    /// </summary>
    public static (string Type, string Serial) HardwareModule(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.FirstOrDefault(candidate => candidate.Oid?.Value == "2.5.29.17");
        if (extension is null)
        {
            return ("", "");
        }

        try
        {
            return FindHardwareModule(new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence());
        }
        catch (AsnContentException)
        {
            return ("", "");
        }
    }

    /// <summary>
    /// The text of a name's attribute as it is encoded. The framework cuts a zero at its end, which would let one name pass for another;
    /// null when it has a control character.
    /// </summary>
    public static string? ReadText(X500RelativeDistinguishedName part)
    {
        var attribute = new AsnReader(part.RawData, AsnEncodingRules.DER).ReadSetOf().ReadSequence();
        attribute.ReadObjectIdentifier();
        var tag = attribute.PeekTag();
        var text = attribute.ReadCharacterString((UniversalTagNumber)tag.TagValue);
        return text.Any(char.IsControl) ? null : text;
    }

    private static (string Type, string Serial) FindHardwareModule(AsnReader names)
    {
        while (names.HasData)
        {
            if (names.PeekTag() != OtherName)
            {
                names.ReadEncodedValue();
                continue;
            }

            var other = names.ReadSequence(OtherName);
            if (other.ReadObjectIdentifier() == HardwareModuleName)
            {
                var module = other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
                return (module.ReadObjectIdentifier(), Convert.ToHexString(module.ReadOctetString()));
            }
        }

        return ("", "");
    }
}
