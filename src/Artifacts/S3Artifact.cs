using Amazon.S3;
using Amazon.S3.Model;

namespace Muster.Artifacts;

/// <summary>An object that was found: each part is asked for when it is opened, and read as it comes.</summary>
internal sealed class S3Artifact(IAmazonS3 client, string bucket, string key, long length) : Artifact
{
    private readonly List<GetObjectResponse> _opened = [];

    public override long Length { get; } = length;

    public override async Task<Stream> OpenAsync(long from, long length, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = bucket, Key = key, ByteRange = new ByteRange(from, from + length - 1) };
        var response = await client.GetObjectAsync(request, cancellationToken);
        _opened.Add(response);
        return response.ResponseStream;
    }

    /// <summary>A file of this host that is gone when it is closed: the verification reads here and there.</summary>
    public override async Task<Stream> OpenWholeAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(Path.GetTempPath(), $"muster-{Guid.NewGuid():N}");
        var file = new FileStream(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0,
            FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        try
        {
            await (await OpenAsync(0, Length, cancellationToken)).CopyToAsync(file, cancellationToken);
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    public override ValueTask DisposeAsync()
    {
        _opened.ForEach(response => response.Dispose());
        return ValueTask.CompletedTask;
    }
}
