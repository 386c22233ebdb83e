using System.Formats.Asn1;

namespace Muster.Cryptography.Est;

/// <summary>What EST asks of a request (RFC 7030 4.5.2): a key on P-256, signed with ECDSA over SHA-256. Others are taken too.</summary>
public static class CsrAttributes
{
    private const string EllipticKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    /// <summary>CsrAttrs, DER.</summary>
    public static ImmutableArray<byte> Der { get; } = Encode();

    private static ImmutableArray<byte> Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(EllipticKey);
                using (writer.PushSetOf())
                {
                    writer.WriteObjectIdentifier(P256);
                }
            }

            writer.WriteObjectIdentifier(EcdsaWithSha256);
        }

        return [.. writer.Encode()];
    }
}
