using System.Security.Cryptography;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Grains.Tests.Devices;

/// <summary>A fleet CA without cryptography: a request is its key, and a certificate is the order in words.</summary>
internal sealed class PlayedIssuer : ICertificateIssuer
{
    public IssuingAuthority? At(DateTimeOffset now) => new IssuingAuthority(1, now.AddYears(1));

    public (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional) => request.IsEmpty
        ? (null, CertificateErrors.SigningRequestInvalid("it is empty"))
        : (new RequestedCertificate(Sha256Hash.Of(SHA256.HashData(request)), [.. request]), null);

    public CertificateSerial NewSerial(int generation) => CertificateSerial.Of(RandomNumberGenerator.GetBytes(16));

    public SignedCertificate Sign(CertificateOrder order)
    {
        byte[] der = [.. System.Text.Encoding.UTF8.GetBytes($"{order.Subject} {order.Key} {order.Serial} {order.NotAfter:O}")];
        return new SignedCertificate([.. der], Sha256Hash.Of(SHA256.HashData(der)));
    }
}
