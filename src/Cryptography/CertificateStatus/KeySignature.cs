using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Crypto;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>ECDSA with SHA-256 by the platform's key, for the library that writes the answer.</summary>
internal sealed class KeySignature(ECDsa key) : ISignatureFactory
{
    public object AlgorithmDetails { get; } = new AlgorithmIdentifier(X9ObjectIdentifiers.ECDsaWithSha256);

    public IStreamCalculator<IBlockResult> CreateCalculator() => new Calculator(key);

    private sealed class Calculator(ECDsa key) : IStreamCalculator<IBlockResult>, IDisposable
    {
        private readonly MemoryStream _content = new();

        public Stream Stream => _content;

        /// <summary>The library has closed the stream by now.</summary>
        public IBlockResult GetResult() => new Signature(
            key.SignData(_content.ToArray(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

        public void Dispose() => _content.Dispose();
    }

    private sealed class Signature(byte[] value) : IBlockResult
    {
        public byte[] Collect() => value;

        public int Collect(byte[] buf, int off)
        {
            value.CopyTo(buf, off);
            return value.Length;
        }

        public int Collect(Span<byte> output)
        {
            value.CopyTo(output);
            return value.Length;
        }

        public int GetMaxResultLength() => value.Length;
    }
}
