using Muster.Domain;
using Muster.Domain.Identity;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Devices;

/// <summary>
/// What a device gets from the fleet CA. The device's own grain answers, with the same key as <see cref="IDeviceGrain"/>: who is in
/// service, and by which certificates, is one record.
/// </summary>
[GrainInterfaceType("muster.device-certificates"), Alias("muster.IDeviceCertificatesGrain"), Version(1)]
public interface IDeviceCertificatesGrain : IGrainWithStringKey
{
    /// <summary>
    /// Issues a certificate to a device in service, or says why not. Returns after its commit; the same request again gives the same
    /// certificate.
    /// </summary>
    [Alias("Issue"), ResponseTimeout(CallTimeouts.Commit)]
    Task<CertificateReply> IssueAsync(IssueCertificate command);
}

/// <summary>Asks for a certificate.</summary>
/// <param name="Identity">Proved by the TLS handshake.</param>
/// <param name="Call">The first one, or a renewal.</param>
/// <param name="Request">PKCS #10, DER.</param>
[GenerateSerializer, Immutable, Alias("muster.issue-certificate")]
public sealed record IssueCertificate(
    [property: Id(0)] DeviceIdentity Identity,
    [property: Id(1)] CertificateCall Call,
    [property: Id(2)] ImmutableArray<byte> Request);

/// <summary>The certificate (DER), or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("muster.certificate-reply")]
public sealed record CertificateReply([property: Id(0)] ImmutableArray<byte> Certificate, [property: Id(1)] FleetError? Error);
