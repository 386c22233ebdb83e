using System.Formats.Asn1;

namespace Muster.Cryptography.Tests.Manifests;

/// <summary>Puts timestamp tokens into CMS signatures as RFC 3161, appendix A, says; by hand, for openssl has no command for it.</summary>
internal static class TimestampedSignature
{
    public const string TimestampToken = "1.2.840.113549.1.9.16.2.14";

    private static readonly Asn1Tag Zero = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag One = new(TagClass.ContextSpecific, 1, isConstructed: true);

    /// <summary>What a timestamp is over: the signature of the one signer.</summary>
    public static byte[] ValueOf(byte[] cms)
    {
        var signer = Open(cms).Signers.ReadSequence();
        for (var i = 0; i < 5; i++)
        {
            signer.ReadEncodedValue();
        }

        return signer.ReadOctetString();
    }

    /// <summary>One unsigned attribute with all tokens as its values.</summary>
    public static byte[] Attach(byte[] cms, params byte[][] tokens) => Attach(cms, [tokens]);

    /// <summary>An unsigned attribute for each list of tokens.</summary>
    public static byte[] Attach(byte[] cms, byte[][][] attributes)
    {
        var (info, data, signers) = Open(cms);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(info.Span);
            using (writer.PushSequence(Zero))
            using (writer.PushSequence())
            {
                foreach (var part in data)
                {
                    writer.WriteEncodedValue(part.Span);
                }

                using (writer.PushSetOf())
                using (writer.PushSequence())
                {
                    for (var signer = signers.ReadSequence(); signer.HasData;)
                    {
                        writer.WriteEncodedValue(signer.ReadEncodedValue().Span);
                    }

                    WriteAttributes(writer, attributes);
                }
            }
        }

        return writer.Encode();
    }

    private static void WriteAttributes(AsnWriter writer, byte[][][] attributes)
    {
        using var set = writer.PushSetOf(One);
        foreach (var tokens in attributes)
        {
            using var attribute = writer.PushSequence();
            writer.WriteObjectIdentifier(TimestampToken);
            using var values = writer.PushSetOf();
            foreach (var token in tokens)
            {
                writer.WriteEncodedValue(token);
            }
        }
    }

    /// <summary>The content type, what is before the signers, and the signers.</summary>
    private static (ReadOnlyMemory<byte> Type, List<ReadOnlyMemory<byte>> Before, AsnReader Signers) Open(byte[] cms)
    {
        var info = new AsnReader(cms, AsnEncodingRules.BER).ReadSequence();
        var type = info.ReadEncodedValue();
        var data = info.ReadSequence(Zero).ReadSequence();
        List<ReadOnlyMemory<byte>> before = [data.ReadEncodedValue(), data.ReadEncodedValue(), data.ReadEncodedValue()];
        while (data.PeekTag().TagClass == TagClass.ContextSpecific)
        {
            before.Add(data.ReadEncodedValue());
        }

        return (type, before, data.ReadSetOf());
    }
}
