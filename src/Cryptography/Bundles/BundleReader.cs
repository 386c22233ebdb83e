using System.Buffers;

namespace Muster.Cryptography.Bundles;

/// <summary>Reads a bundle once from its start, with one small buffer, and keeps the digest of all that passed by.</summary>
internal sealed class BundleReader(Stream content) : IDisposable
{
    /// <summary>Whole blocks of the hash tree.</summary>
    private const int BufferBytes = 32 * VerityTree.BlockBytes;

    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);

    /// <summary>Takes bytes on their way; as many as the buffer holds, and fewer only at the end of what was asked for.</summary>
    public delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>False when the file has become shorter meanwhile.</summary>
    public bool TryRead(long count, Sink sink)
    {
        for (var left = count; left > 0;)
        {
            var chunk = _buffer.AsSpan(0, (int)Math.Min(left, BufferBytes));
            if (content.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false) < chunk.Length)
            {
                return false;
            }

            _sha256.AppendData(chunk);
            sink(chunk);
            left -= chunk.Length;
        }

        return true;
    }

    /// <summary>The digest of all that was read.</summary>
    public byte[] Complete() => _sha256.GetHashAndReset();

    public void Dispose()
    {
        _sha256.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }
}
