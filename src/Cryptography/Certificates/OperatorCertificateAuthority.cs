using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Cryptography.Certificates;

/// <summary>The operators' CA: signs the requests that operators' own programs made.</summary>
public sealed class OperatorCertificateAuthority(CertificateAuthority authority, TimeSpan lifetime) : IOperatorCertificateAuthority
{
    /// <summary>A request with an RSA-4096 key takes 1.8 KiB; the rest is room for attributes.</summary>
    public const int RequestCharactersMax = 16 * 1024;

    private readonly CertificateAuthority _authority = authority;
    private readonly TimeSpan _lifetime = lifetime;

    public (SignedOperatorCertificate? Certificate, FleetError? Error) Sign(
        string csrPem, TenantId tenant, ResourceId operatorId, DateTimeOffset now)
    {
        if (csrPem is not { Length: > 0 and <= RequestCharactersMax })
        {
            return (null, Invalid($"it is empty or longer than {RequestCharactersMax} characters"));
        }

        CertificateRequest request;
        try
        {
            // Verifies the request's own signature: whoever made it has the key.
            request = CertificateRequest.LoadSigningRequestPem(csrPem, HashAlgorithmName.SHA256);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or NotSupportedException)
        {
            return (null, Invalid("it is not a PKCS #10 request in PEM that its own key has signed"));
        }

        if (!CertificateFacts.HasStrongKey(request.PublicKey))
        {
            return (null, Invalid("its key is neither RSA 2048 to 4096 nor P-256, P-384, P-521"));
        }

        var subject = OperatorCertificate.SubjectOf(tenant, operatorId);
        using var certificate = _authority.IssueClient(request.PublicKey, subject, now, _lifetime);
        return (
            new SignedOperatorCertificate(
                certificate.ExportCertificatePem(),
                Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)),
                new DateTimeOffset(certificate.NotAfter).ToUniversalTime()),
            null);
    }

    private static FleetError Invalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "SIGNING_REQUEST_INVALID", $"The signing request cannot be signed: {cause}.", ("cause", cause));
}
