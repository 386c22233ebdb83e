using Muster.Domain;
using Orleans.CodeGeneration;

namespace Muster.Contracts.CertificateStatus;

/// <summary>
/// Says for those who cannot ask a device's record which certificates of the fleet CAs are revoked. One for the installation, in a silo,
/// because the keys are there; nothing is stored: it is collected from the inventory of each partition. Key: 0.
/// </summary>
[GrainInterfaceType("muster.certificate-status"), Alias("muster.ICertificateStatusGrain"), Version(1)]
public interface ICertificateStatusGrain : IGrainWithIntegerKey
{
    /// <summary>The revocation list of one of the fleet's CAs.</summary>
    /// <param name="generation">Which of them.</param>
    /// <param name="known">The number of the list that the caller has; 0 for none.</param>
    [Alias("GetList"), ResponseTimeout(CallTimeouts.Commit)]
    Task<RevocationListReply> GetListAsync(int generation, long known);

    /// <summary>Answers an OCSP request (DER).</summary>
    [Alias("Answer"), ResponseTimeout(CallTimeouts.Commit)]
    Task<OcspReply> AnswerAsync(ImmutableArray<byte> request);
}

/// <summary>A revocation list, or why there is none.</summary>
/// <param name="List">DER; empty when the caller has it.</param>
/// <param name="Number">Its number.</param>
/// <param name="ThisUpdate">From when it is.</param>
/// <param name="NextUpdate">Until when it may be given out.</param>
/// <param name="Error">Set when there is none.</param>
[GenerateSerializer, Immutable, Alias("muster.revocation-list-reply")]
public sealed record RevocationListReply(
    [property: Id(0)] ImmutableArray<byte> List,
    [property: Id(1)] long Number,
    [property: Id(2)] DateTimeOffset ThisUpdate,
    [property: Id(3)] DateTimeOffset NextUpdate,
    [property: Id(4)] FleetError? Error);

/// <summary>An OCSP answer (DER) and until when it may be given to others; null when it may not.</summary>
[GenerateSerializer, Immutable, Alias("muster.ocsp-reply")]
public sealed record OcspReply([property: Id(0)] ImmutableArray<byte> Answer, [property: Id(1)] DateTimeOffset? NextUpdate);

/// <summary>The only place where this grain's key is written.</summary>
public static class CertificateStatusGrainFactoryExtensions
{
    public static ICertificateStatusGrain GetCertificateStatus(this IGrainFactory grains)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ICertificateStatusGrain>(0);
    }
}
