namespace Muster.Domain.Operators;

/// <summary>
/// Port: the operators' CA. Its key stays in the silo. It signs requests that an operator's own program made, so nobody else
/// ever holds the operator's key.
/// </summary>
public interface IOperatorCertificateAuthority
{
    /// <summary>
    /// Verifies the request (PKCS#10, RFC 2986, PEM; proof of possession included) and signs a client certificate whose common
    /// name is <paramref name="operatorId"/> and whose organization is <paramref name="tenant"/> (none for <c>default</c>), whatever
    /// subject the request asks for. A request that cannot be signed gives an error
    /// with reason <c>SIGNING_REQUEST_INVALID</c> and no certificate.
    /// </summary>
    (SignedOperatorCertificate? Certificate, FleetError? Error) Sign(
        string csrPem, TenantId tenant, ResourceId operatorId, DateTimeOffset now);
}

/// <summary>A certificate that the operators' CA issued.</summary>
/// <param name="Pem">The certificate, PEM.</param>
/// <param name="CertificateSha256">Fingerprint of its DER form, 64 lower-case hex digits.</param>
/// <param name="NotAfter">When it stops being valid.</param>
[GenerateSerializer, Immutable, Alias("muster.signed-operator-certificate")]
public sealed record SignedOperatorCertificate(
    [property: Id(0)] string Pem,
    [property: Id(1)] string CertificateSha256,
    [property: Id(2)] DateTimeOffset NotAfter);
