using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Cryptography.Certificates;

/// <summary>What an operator's certificate says: who he claims to be, and which certificate it is.</summary>
/// <param name="Operator">The certificate's common name.</param>
/// <param name="CertificateSha256">Fingerprint of its DER form, 64 lower-case hex digits: the account on record has to name it.</param>
public sealed record OperatorCertificate(ResourceId Operator, string CertificateSha256);

/// <summary>
/// Reads the TLS client certificates of operators: under the operators' CA, valid now, for client authentication. Whether that
/// operator may call is the account's to say.
/// </summary>
public sealed class OperatorCertificateVerifier(TrustStore operators)
{
    private static readonly Oid ClientAuthentication = new(CertificateFacts.ClientAuthentication);

    private readonly TrustStore _operators = operators;

    /// <summary>The certificate's statement, or a refusal that does not say what was wrong.</summary>
    public (OperatorCertificate? Certificate, FleetError? Error) Verify(X509Certificate2? certificate, DateTimeOffset now)
    {
        if (certificate is null
            || _operators.Follow(certificate, null, now, ClientAuthentication).State != ChainState.Trusted
            || CertificateFacts.IsAuthority(certificate)
            || !CertificateFacts.AllowsUsage(certificate, CertificateFacts.ClientAuthentication, isRequired: true)
            || !ResourceId.TryParse(CertificateFacts.Single(certificate.SubjectName, CertificateFacts.CommonName), out var name))
        {
            return (null, OperatorErrors.Unknown());
        }

        return (new OperatorCertificate(name, Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span))), null);
    }
}
