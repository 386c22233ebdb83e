using System.Buffers.Binary;

namespace Muster.Domain.Identity;

/// <summary>The serial number of a certificate of the fleet CA: 16 random bytes, positive (RFC 5280 4.1.2.2).</summary>
[GenerateSerializer, Immutable, Alias("muster.certificate-serial")]
public readonly record struct CertificateSerial([property: Id(0)] ulong High, [property: Id(1)] ulong Low)
{
    private const int Length = 16;

    public static CertificateSerial Of(ReadOnlySpan<byte> serial)
    {
        if (serial.Length != Length)
        {
            throw new ArgumentException($"A serial number has {Length} bytes.", nameof(serial));
        }

        return new CertificateSerial(BinaryPrimitives.ReadUInt64BigEndian(serial), BinaryPrimitives.ReadUInt64BigEndian(serial[8..]));
    }

    /// <summary>As it stands in the certificate.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), Low);
        return bytes;
    }

    /// <summary>32 upper-case hex digits, as <c>openssl x509 -serial</c> prints them.</summary>
    public override string ToString() => $"{High:X16}{Low:X16}";
}
