using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Contracts.CertificateStatus;

/// <summary>
/// Port to the keys of the fleet CAs, for the grains of the silo that has them. A key may be in a hardware module: whoever asks waits,
/// within a bound, and may be told that it cannot sign now.
/// </summary>
public interface IFleetSigner
{
    /// <summary>The fleet's CAs whose keys are here, newest first.</summary>
    ImmutableArray<int> Generations { get; }

    /// <summary>
    /// Signs what the rules ordered. The same order gives the same bytes, if the signature that came with them is in it: whoever lost
    /// the answer gets it again, and none has two of one serial number.
    /// </summary>
    Task<(SignedCertificate? Signed, FleetError? Error)> SignAsync(CertificateOrder order);

    /// <summary>The list (RFC 5280), DER; empty with an error.</summary>
    Task<(ImmutableArray<byte> Der, FleetError? Error)> SignListAsync(RevocationList list);

    /// <summary>
    /// Answers an OCSP request (RFC 6960). A serial number that no fleet CA chose is unknown, one that <paramref name="find"/> knows is
    /// revoked, others are good.
    /// </summary>
    /// <param name="request">OCSPRequest, DER; whatever was sent.</param>
    /// <param name="find">The revocation in force of a generation's certificate, or null.</param>
    /// <param name="thisUpdate">When what <paramref name="find"/> says was true.</param>
    /// <param name="now">Now.</param>
    Task<OcspAnswer> AnswerAsync(
        ImmutableArray<byte> request,
        Func<int, CertificateSerial, RevokedCertificate?> find,
        DateTimeOffset thisUpdate,
        DateTimeOffset now);
}
