using Muster.Domain.Identity;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>
/// Serial numbers that say themselves that this CA chose them: twelve random bytes and four of their HMAC. So an OCSP answer tells a
/// certificate that was issued from a number that somebody made up, without a list of all that were issued.
/// </summary>
internal sealed class SerialNumbers
{
    private const int Length = 16;

    /// <summary>94 random bits: no two alike in the life of a fleet.</summary>
    private const int RandomLength = 12;

    private readonly byte[] _secret;

    /// <param name="secret">The CA's private key where it can be read, else a secret of its own that all silos have.</param>
    public SerialNumbers(byte[] secret) => _secret = HKDF.DeriveKey(
        HashAlgorithmName.SHA256, secret, SHA256.HashSizeInBytes, info: "muster serial numbers 1"u8.ToArray());

    public CertificateSerial Next()
    {
        Span<byte> serial = stackalloc byte[Length];
        RandomNumberGenerator.Fill(serial[..RandomLength]);

        // Positive, and of full length (RFC 5280 4.1.2.2).
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        Tag(serial[..RandomLength], serial[RandomLength..]);
        return CertificateSerial.Of(serial);
    }

    public bool Contains(CertificateSerial serial)
    {
        Span<byte> tag = stackalloc byte[Length - RandomLength];
        ReadOnlySpan<byte> bytes = serial.ToBytes();
        Tag(bytes[..RandomLength], tag);
        return CryptographicOperations.FixedTimeEquals(tag, bytes[RandomLength..]);
    }

    private void Tag(ReadOnlySpan<byte> random, Span<byte> tag)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(_secret, random, hash);
        hash[..tag.Length].CopyTo(tag);
    }
}
