using System.Formats.Asn1;

namespace Muster.Cryptography.Est;

/// <summary>
/// Certificates in a PKCS #7 that signs nothing (RFC 5652 5, RFC 7030 4.1.3): how EST hands them out. Written here, in the order given;
/// the platform's export orders as it likes.
/// </summary>
public static class CertsOnly
{
    private const string Data = "1.2.840.113549.1.7.1";
    private const string SignedData = "1.2.840.113549.1.7.2";

    private static readonly Asn1Tag Content = new(TagClass.ContextSpecific, 0, isConstructed: true);

    public static byte[] Encode(IEnumerable<X509Certificate2> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return Encode([.. certificates.Select(certificate => certificate.RawData)]);
    }

    /// <param name="certificates">Certificates, DER.</param>
    public static byte[] Encode(params ReadOnlySpan<byte[]> certificates)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(SignedData);
            using (writer.PushSequence(Content))
            using (writer.PushSequence())
            {
                writer.WriteInteger(1);
                writer.PushSetOf().Dispose();
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Data);
                }

                using (writer.PushSequence(Content))
                {
                    foreach (var certificate in certificates)
                    {
                        writer.WriteEncodedValue(certificate);
                    }
                }

                writer.PushSetOf().Dispose();
            }
        }

        return writer.Encode();
    }
}
