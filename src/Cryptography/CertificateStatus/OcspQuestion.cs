using Muster.Domain.Identity;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Ocsp;
using X509Extension = Org.BouncyCastle.Asn1.X509.X509Extension;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>What an OCSP request asks (RFC 6960 4.1). Its signature, if it has one, says nothing here: the answer is public.</summary>
internal sealed class OcspQuestion
{
    /// <summary>A request for one certificate has some 80 bytes; with all its certificates and a nonce it is far below.</summary>
    public const int BytesMax = 2 * 1024;

    /// <summary>Certificates of one request: clients ask for one.</summary>
    public const int CertificatesMax = 8;

    /// <summary>RFC 9654 2.1: a nonce has an octet at least, and this many at most.</summary>
    private const int NonceLengthMax = 128;

    private OcspQuestion(ImmutableArray<CertificateID> certificates, X509Extension? nonce) =>
        (Certificates, Nonce) = (certificates, nonce);

    /// <summary>One at the fewest.</summary>
    public ImmutableArray<CertificateID> Certificates { get; }

    /// <summary>To be repeated as it is; null when there is none.</summary>
    public X509Extension? Nonce { get; }

    /// <summary>Null when it is no request, or one of more than is answered.</summary>
    public static OcspQuestion? Read(ReadOnlySpan<byte> request)
    {
        if (request.Length is 0 or > BytesMax)
        {
            return null;
        }

        try
        {
            var read = new OcspReq(request.ToArray());
            var certificates = read.GetRequestList().Select(one => one.GetCertID()).ToImmutableArray();
            var nonce = read.RequestExtensions?.GetExtension(OcspObjectIdentifiers.PkixOcspNonce);

            // The extension's value is the nonce as an OCTET STRING within another: its own length counts, not that of its encoding.
            var isNonceFit = nonce is null
                || Asn1OctetString.GetInstance(nonce.GetParsedValue()).GetOctetsLength() is > 0 and <= NonceLengthMax;
            return certificates.Length is > 0 and <= CertificatesMax && isNonceFit ? new OcspQuestion(certificates, nonce) : null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The parser throws what its parts throw, whatever that is.
            return null;
        }
    }

    /// <summary>The serial number, if it has the length of those of a fleet CA.</summary>
    public static CertificateSerial? SerialOf(CertificateID certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var bytes = certificate.SerialNumber.ToByteArrayUnsigned();
        return certificate.SerialNumber.SignValue > 0 && bytes.Length == 16 ? CertificateSerial.Of(bytes) : null;
    }
}

/// <summary>What is known of a serial number.</summary>
/// <param name="IsKnown">The CA chose it.</param>
/// <param name="Revoked">Set when its certificate is revoked.</param>
internal readonly record struct OcspFinding(bool IsKnown, RevokedCertificate? Revoked);
