using Muster.Domain.Identity;

namespace Muster.Contracts.CertificateStatus;

/// <summary>Which table of a partition was read, and how often it had changed: who has the same mark has the same contents.</summary>
[GenerateSerializer, Immutable, Alias("muster.revocation-mark")]
public readonly record struct RevocationMark([property: Id(0)] Guid Table, [property: Id(1)] long Changes);

/// <summary>
/// The revoked certificates of one partition's devices that have not ended, those included whose overlap ends later.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.partition-revocations")]
public sealed record PartitionRevocations(
    [property: Id(0)] RevocationMark Mark, [property: Id(1)] ImmutableArray<RevokedCertificate> Revoked);
