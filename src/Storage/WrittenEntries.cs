using Muster.Contracts.Commit;

namespace Muster.Storage;

/// <summary>
/// Entries that this process has written lately, by the fingerprints of their bytes. The tail of a partition mostly reads what was
/// committed beside it a moment ago: it gets the entry itself, and not one that is made of the bytes again. Each is handed out once.
/// </summary>
internal sealed class WrittenEntries
{
    /// <summary>
    /// A third of a second of a silo that commits as fast as it can, and tails read after a tenth; some 4 MB where they run in other silos
    /// and nobody takes what is here.
    /// </summary>
    public const int EntriesMax = 4_096;

    private readonly Written?[] _entries = new Written?[EntriesMax];

    /// <summary>Whatever was in its place is forgotten: whoever reads that makes it of its bytes.</summary>
    public void Add(FeedEntry entry, ReadOnlySpan<byte> bytes)
    {
        var written = new Written(FeedReader.FingerprintOf(bytes), entry);
        Volatile.Write(ref _entries[PlaceOf(written.Fingerprint)], written);
    }

    /// <summary>Null for what was written by another process, longer ago, or was taken already.</summary>
    public FeedEntry? Take(ulong fingerprint)
    {
        ref var place = ref _entries[PlaceOf(fingerprint)];
        return Volatile.Read(ref place) is { } written && written.Fingerprint == fingerprint
            && Interlocked.CompareExchange(ref place, null, written) == written
                ? written.Entry
                : null;
    }

    private static int PlaceOf(ulong fingerprint) => (int)(fingerprint % EntriesMax);

    private sealed record Written(ulong Fingerprint, FeedEntry Entry);
}
