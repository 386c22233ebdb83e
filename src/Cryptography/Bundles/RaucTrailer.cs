using System.Buffers.Binary;
using System.Formats.Asn1;

namespace Muster.Cryptography.Bundles;

/// <summary>
/// The end of a RAUC bundle: a CMS message, and its size in eight bytes, most significant first. What is before it is the payload.
/// </summary>
internal sealed class RaucTrailer
{
    /// <summary>RAUC's own limit (1.8; later ones let it be configured).</summary>
    public const int MessageBytesMax = 64 * 1024;

    public const int SizeBytes = sizeof(ulong);

    /// <summary>CMS types of RFC 5652 and RFC 5083 that hide what they hold.</summary>
    private const string EnvelopedData = "1.2.840.113549.1.7.3";
    private const string AuthEnvelopedData = "1.2.840.113549.1.9.16.1.23";

    private RaucTrailer(byte[] encoded, long payloadBytes)
    {
        Encoded = encoded;
        PayloadBytes = payloadBytes;
    }

    /// <summary>The message and its size, as they end the file.</summary>
    public byte[] Encoded { get; }

    /// <summary>How many bytes are before them.</summary>
    public long PayloadBytes { get; }

    public ReadOnlyMemory<byte> Message => Encoded.AsMemory(0, Encoded.Length - SizeBytes);

    /// <summary>Whether the message is there for recipients only: RAUC's format crypt.</summary>
    public bool IsEncrypted
    {
        get
        {
            try
            {
                return new AsnReader(Message, AsnEncodingRules.BER).ReadSequence().ReadObjectIdentifier()
                    is EnvelopedData or AuthEnvelopedData;
            }
            catch (AsnContentException)
            {
                return false;
            }
        }
    }

    /// <summary>Reads the end of a file, wherever it is positioned; a sentence says what is wrong.</summary>
    public static (RaucTrailer? Trailer, string? Fault) Read(Stream content)
    {
        var length = content.Length;
        if (length <= SizeBytes)
        {
            return (null, "it is too short");
        }

        Span<byte> end = stackalloc byte[SizeBytes];
        content.Position = length - SizeBytes;
        content.ReadExactly(end);
        var size = BinaryPrimitives.ReadUInt64BigEndian(end);
        if (size == 0)
        {
            return (null, "the size of its signature is 0");
        }

        if (size > MessageBytesMax || size >= (ulong)(length - SizeBytes))
        {
            return (null, $"its last eight bytes state a signature of {size} bytes, more than {MessageBytesMax} or than the file has");
        }

        var encoded = new byte[(int)size + SizeBytes];
        content.Position = length - encoded.Length;
        content.ReadExactly(encoded);
        var trailer = new RaucTrailer(encoded, length - encoded.Length);
        return trailer.IsOneMessage() ? (trailer, null) : (null, "what is before its last eight bytes is not one CMS message");
    }

    private bool IsOneMessage()
    {
        try
        {
            AsnDecoder.ReadEncodedValue(Message.Span, AsnEncodingRules.DER, out _, out _, out var consumed);
            return consumed == Message.Length;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}
