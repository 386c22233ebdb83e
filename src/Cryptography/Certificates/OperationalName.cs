using System.Formats.Asn1;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// The names in certificates of the fleet CA: subject <c>serialNumber=SERIAL, CN=DEVICE</c>, and one alternative name, the URI
/// <c>urn:muster:TENANT:PROFILE:DEVICE</c>, which is what is read.
/// </summary>
internal static class OperationalName
{
    public const string AlternativeNameOid = "2.5.29.17";

    private const string Scheme = "urn:muster:";

    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    public static X500DistinguishedName SubjectOf(CertificateSubject subject)
    {
        // A device id is its serial with everything percent-encoded that is not plain.
        var serial = Uri.UnescapeDataString(subject.Device.Value);
        // The builder encodes what is added last first.
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(subject.Device.Value);
        builder.Add(CertificateFacts.SerialNumber, serial, IsPrintable(serial) ? UniversalTagNumber.PrintableString : null);
        return builder.Build();
    }

    public static X509Extension AlternativeNameOf(CertificateSubject subject)
    {
        // Written here: the framework's builder would change the percent-encoding of what it takes for a URI.
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(
                UniversalTagNumber.IA5String, $"{Scheme}{subject.Tenant.Value}:{subject.Profile}:{subject.Device.Value}", UriTag);
        }

        return new X509Extension(AlternativeNameOid, writer.Encode(), critical: false);
    }

    /// <summary>Whom the one alternative name names; null when there is another one, or none.</summary>
    public static CertificateSubject? Read(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.FirstOrDefault(candidate => candidate.Oid?.Value == AlternativeNameOid);
        if (extension is null)
        {
            return null;
        }

        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            var uri = names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag);
            return !names.HasData && uri.StartsWith(Scheme, StringComparison.Ordinal) ? Parse(uri[Scheme.Length..].Split(':')) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>True when both names have the same attributes with the same values in the same order, however they are encoded.</summary>
    public static bool AreEqual(X500DistinguishedName left, X500DistinguishedName right) =>
        AttributesOf(left) is { } one && AttributesOf(right) is { } other && one.SequenceEqual(other);

    private static CertificateSubject? Parse(string[] parts) =>
        parts is [var first, { Length: > 0 } profile, var last]
            && TenantId.TryParse(first, out var tenant) && DeviceId.TryParse(last, out var device)
            ? new CertificateSubject(tenant, profile, device)
            : null;

    private static List<(string? Type, string? Value)>? AttributesOf(X500DistinguishedName name)
    {
        try
        {
            return [.. name.EnumerateRelativeDistinguishedNames(reversed: false)
                .Select(part => (part.GetSingleElementType().Value, CertificateFacts.ReadText(part)))];
        }
        catch (Exception exception) when (
            exception is CryptographicException or InvalidOperationException or AsnContentException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsPrintable(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || " '()+,-./:=?".Contains(c, StringComparison.Ordinal));
}
