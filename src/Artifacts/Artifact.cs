namespace Muster.Artifacts;

/// <summary>Bytes that a store has, found and not read yet. Whoever found them disposes this when all that was opened is read.</summary>
public abstract class Artifact : IAsyncDisposable
{
    /// <summary>All of them.</summary>
    public abstract long Length { get; }

    /// <summary>A part, to be read once from its start; the stream may go on behind it.</summary>
    public abstract Task<Stream> OpenAsync(long from, long length, CancellationToken cancellationToken);

    /// <summary>All of it, to be read in any order; the reader disposes it.</summary>
    public abstract Task<Stream> OpenWholeAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
