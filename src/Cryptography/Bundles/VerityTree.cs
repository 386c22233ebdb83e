namespace Muster.Cryptography.Bundles;

/// <summary>
/// The hash tree of dm-verity (version 1, SHA-256, blocks of 4 KiB) over blocks that pass by once. It keeps one block per level and one
/// digest of each level, so a gigabyte needs as little memory as a megabyte.
/// </summary>
internal sealed class VerityTree : IDisposable
{
    public const int BlockBytes = 4096;

    private const int HashesPerBlock = BlockBytes / SHA256.HashSizeInBytes;

    private readonly byte[] _salt;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Level[] _levels;
    private readonly byte[] _root = new byte[SHA256.HashSizeInBytes];

    /// <param name="salt">Hashed before each block.</param>
    /// <param name="dataBlocks">How many blocks will pass by; at least two, for one has no tree.</param>
    public VerityTree(byte[] salt, long dataBlocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dataBlocks, 2);
        _salt = salt;
        _levels = [.. BlocksPerLevel(dataBlocks).Select(blocks => new Level(blocks))];
    }

    /// <summary>The length of each level as it is on the disk, the top's first.</summary>
    public IEnumerable<long> LevelBytes => _levels.Reverse().Select(level => level.Blocks * BlockBytes);

    /// <summary>The length of the tree over so many blocks.</summary>
    public static long TreeBytesOf(long dataBlocks) => BlocksPerLevel(dataBlocks).Sum() * BlockBytes;

    /// <summary>Takes the next blocks of data, whole ones.</summary>
    public void Append(ReadOnlySpan<byte> blocks)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        for (; !blocks.IsEmpty; blocks = blocks[BlockBytes..])
        {
            HashBlock(blocks[..BlockBytes], hash);
            Append(0, hash);
        }
    }

    /// <summary>After the last block: the hash of the tree's top.</summary>
    public ReadOnlySpan<byte> Complete()
    {
        for (var i = 0; i < _levels.Length; i++)
        {
            if (_levels[i].Filled > 0)
            {
                Close(i);
            }
        }

        return _root;
    }

    /// <summary>The digests of the levels' bytes as they have to be on the disk, the top's first.</summary>
    public IEnumerable<byte[]> CompleteLevels() => _levels.Reverse().Select(level => level.Digest.GetHashAndReset());

    public void Dispose()
    {
        _hash.Dispose();
        foreach (var level in _levels)
        {
            level.Digest.Dispose();
        }
    }

    /// <summary>How many blocks of hashes each level has, the lowest first; the top has one.</summary>
    private static IEnumerable<long> BlocksPerLevel(long dataBlocks)
    {
        for (var blocks = dataBlocks; blocks > 1;)
        {
            blocks = (blocks + HashesPerBlock - 1) / HashesPerBlock;
            yield return blocks;
        }
    }

    private void Append(int index, ReadOnlySpan<byte> hash)
    {
        var level = _levels[index];
        hash.CopyTo(level.Block.AsSpan(level.Filled));
        level.Filled += hash.Length;
        if (level.Filled == BlockBytes)
        {
            Close(index);
        }
    }

    private void Close(int index)
    {
        var level = _levels[index];
        level.Digest.AppendData(level.Block);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        HashBlock(level.Block, hash);
        level.Filled = 0;
        level.Block.AsSpan().Clear();
        if (index + 1 < _levels.Length)
        {
            Append(index + 1, hash);
        }
        else
        {
            hash.CopyTo(_root);
        }
    }

    private void HashBlock(ReadOnlySpan<byte> block, Span<byte> hash)
    {
        _hash.AppendData(_salt);
        _hash.AppendData(block);
        _hash.GetHashAndReset(hash);
    }

    private sealed class Level(long blocks)
    {
        public long Blocks { get; } = blocks;

        public byte[] Block { get; } = new byte[BlockBytes];

        public int Filled { get; set; }

        public IncrementalHash Digest { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    }
}
