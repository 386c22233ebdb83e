namespace Muster.Artifacts;

/// <summary>An open file: what is served is what was found, also when its name is gone meanwhile.</summary>
internal sealed class FolderArtifact(FileStream file) : Artifact
{
    public override long Length { get; } = file.Length;

    public override Task<Stream> OpenAsync(long from, long length, CancellationToken cancellationToken)
    {
        file.Position = from;
        return Task.FromResult<Stream>(file);
    }

    public override Task<Stream> OpenWholeAsync(CancellationToken cancellationToken) => OpenAsync(0, Length, cancellationToken);

    public override ValueTask DisposeAsync() => file.DisposeAsync();
}
