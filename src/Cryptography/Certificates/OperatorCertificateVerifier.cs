using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Cryptography.Certificates;

/// <summary>What an operator's certificate says: who he claims to be, and which certificate it is.</summary>
/// <param name="Tenant">The certificate's organization; <c>default</c> without one.</param>
/// <param name="Operator">The certificate's common name.</param>
/// <param name="CertificateSha256">Fingerprint of its DER form, 64 lower-case hex digits: the account on record has to name it.</param>
public sealed record OperatorCertificate(TenantId Tenant, ResourceId Operator, string CertificateSha256)
{
    internal static X500DistinguishedName SubjectOf(TenantId tenant, ResourceId operatorId)
    {
        // The builder encodes what is added last first.
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(operatorId.Value);
        if (tenant != TenantId.Default)
        {
            builder.AddOrganizationName(tenant.Value);
        }

        return builder.Build();
    }

    /// <summary>False for an organization that is no tenant, or for two.</summary>
    internal static bool TryReadTenant(X500DistinguishedName subject, out TenantId tenant)
    {
        tenant = TenantId.Default;
        return CertificateFacts.Count(subject, CertificateFacts.Organization) == 0
            || TenantId.TryParse(CertificateFacts.Single(subject, CertificateFacts.Organization), out tenant);
    }
}

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
            || !ResourceId.TryParse(CertificateFacts.Single(certificate.SubjectName, CertificateFacts.CommonName), out var name)
            || !OperatorCertificate.TryReadTenant(certificate.SubjectName, out var tenant))
        {
            return (null, OperatorErrors.Unknown());
        }

        return (new OperatorCertificate(tenant, name, Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span))), null);
    }
}
