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

    /// <summary>
    /// How many bytes of an upload are here: all of them when they are staged or published already, 0 when nobody began it.
    /// </summary>
    Task<long> GetReceivedAsync(UploadKey upload, CancellationToken cancellationToken);

    /// <summary>
    /// Adds the chunks, in order, behind the first <paramref name="offset"/> bytes, which have to be those that are here. What came stays,
    /// also when the source breaks off, for a day. With the last byte the whole is read and has to be what the digest names; then it is
    /// staged, else it is gone.
    /// </summary>
    Task<UploadProgress> AppendAsync(
        UploadKey upload, long offset, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken);

    /// <summary>The staged bytes as they are now, or null. Their digest has to be computed anew.</summary>
    Task<Artifact?> FindStagedAsync(ImageDigest digest, CancellationToken cancellationToken);

    /// <summary>Makes staged bytes servable; repeating it is harmless. False when there are neither staged nor published bytes.</summary>
    Task<bool> PublishAsync(ImageDigest digest, CancellationToken cancellationToken);

    /// <summary>The published bytes, or null.</summary>
    Task<Artifact?> FindPublishedAsync(ImageDigest digest, CancellationToken cancellationToken);
}

/// <summary>An upload that goes on where it stopped.</summary>
/// <param name="Tenant">Whose it is: nobody adds to the upload of another tenant.</param>
/// <param name="Digest">Of the whole.</param>
/// <param name="SizeBytes">Of the whole.</param>
public readonly record struct UploadKey(Domain.TenantId Tenant, ImageDigest Digest, long SizeBytes);

/// <summary>How far an upload is.</summary>
/// <param name="ReceivedBytes">Where to go on; all when it is staged.</param>
/// <param name="Error">Why bytes were not taken.</param>
public sealed record UploadProgress(long ReceivedBytes, Domain.FleetError? Error);

/// <summary>What was staged, or why nothing was.</summary>
/// <param name="Content">Digest and length of the staged bytes; null when refused.</param>
/// <param name="Error">The refusal.</param>
public sealed record StageResult(ImageContent? Content, Domain.FleetError? Error);
