using Muster.Domain.Images;

namespace Muster.Artifacts;

/// <summary>
/// Bytes by their digest. What is uploaded is <em>staged</em> first; only published bytes are servable.
/// </summary>
public interface IArtifactStore
{
    /// <summary>
    /// Writes the chunks, in order, to the stage and makes them durable. More than <paramref name="bytesMax"/> bytes, or too many
    /// uploads at a time, are refused and leave nothing; so does an exception of the source.
    /// </summary>
    Task<StageResult> StageAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long bytesMax, CancellationToken cancellationToken);

    /// <summary>The staged bytes as they are now, or null. The reader closes it; its digest has to be computed anew.</summary>
    Stream? OpenStaged(ImageDigest digest);

    /// <summary>Makes staged bytes servable; repeating it is harmless. False when there are neither staged nor published bytes.</summary>
    bool Publish(ImageDigest digest);

    /// <summary>The published bytes, seekable, with their length, or null. The reader closes it.</summary>
    Stream? OpenPublished(ImageDigest digest);
}

/// <summary>What was staged, or why nothing was.</summary>
/// <param name="Content">Digest and length of the staged bytes; null when refused.</param>
/// <param name="Error">The refusal.</param>
public sealed record StageResult(ImageContent? Content, Domain.FleetError? Error);
