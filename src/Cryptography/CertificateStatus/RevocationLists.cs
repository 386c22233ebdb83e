using System.Numerics;
using Muster.Cryptography.Certificates;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>Writes revocation lists (RFC 5280 5).</summary>
internal static class RevocationLists
{
    public static ImmutableArray<byte> Sign(X509Certificate2 authority, FleetKey key, RevocationList list)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(list);
        var builder = new CertificateRevocationListBuilder();
        foreach (var revoked in list.Revoked)
        {
            builder.AddEntry(revoked.Serial.ToBytes(), revoked.RevokedAt, (X509RevocationReason)ReasonOf(revoked.Cause));
        }

        return
        [
            .. builder.Build(
                authority.SubjectName,
                key.Signature,
                new BigInteger(list.Number),
                list.NextUpdate,
                key.Hash,
                X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false),
                list.ThisUpdate),
        ];
    }

    /// <summary>CRLReason (RFC 5280 5.3.1).</summary>
    public static int ReasonOf(RevocationCause cause) => cause switch
    {
        RevocationCause.Superseded => (int)X509RevocationReason.Superseded,
        RevocationCause.Decommissioned => (int)X509RevocationReason.CessationOfOperation,
        _ => throw new UnreachableException($"A certificate is not revoked for {cause}."),
    };
}
