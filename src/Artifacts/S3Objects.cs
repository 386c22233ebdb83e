using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Muster.Artifacts;

/// <summary>
/// The objects of the bucket under the prefix: the few things that the store asks of S3, chosen so that every server that speaks as S3 does
/// has them.
/// </summary>
internal sealed class S3Objects : IDisposable
{
    /// <summary>A server that is busy or restarts is asked again this often before the caller is told.</summary>
    private const int RetriesMax = 4;

    /// <summary>From the question to the head of the answer.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private const string CopySource = "x-amz-copy-source";

    private readonly S3ArtifactOptions _options;
    private readonly AmazonS3Client _client;

    public S3Objects(S3ArtifactOptions options)
    {
        _options = options;
        var config = new AmazonS3Config
        {
            ServiceURL = options.Endpoint,
            ForcePathStyle = options.UsesPathStyle,
            AuthenticationRegion = options.Region,
            MaxErrorRetry = RetriesMax,
            Timeout = Timeout,

            // What is read is compared with its digest anyway, and not every server knows the newer headers.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        _client = new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config);
        _client.BeforeRequestEvent += SendSlashes;
    }

    /// <summary>The length; null when there is none.</summary>
    public async Task<long?> FindLengthAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.GetObjectMetadataAsync(_options.Bucket, Full(key), cancellationToken)).ContentLength;
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<Artifact?> FindAsync(string key, CancellationToken cancellationToken) =>
        await FindLengthAsync(key, cancellationToken) is { } length
            ? new S3Artifact(_client, _options.Bucket, Full(key), length)
            : null;

    /// <summary>Within the server, in one step; false when the source is not there.</summary>
    public async Task<bool> TryCopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        try
        {
            await _client.CopyObjectAsync(_options.Bucket, Full(from), _options.Bucket, Full(to), cancellationToken);
            return true;
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        _client.DeleteObjectAsync(_options.Bucket, Full(key), cancellationToken);

    /// <summary>The objects of a folder, in the order of their names.</summary>
    public async Task<IReadOnlyList<StoredObject>> ListAsync(string folder, CancellationToken cancellationToken)
    {
        var found = new List<StoredObject>();
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = Full(folder) };
        while (true)
        {
            var page = await _client.ListObjectsV2Async(request, cancellationToken);
            found.AddRange((page.S3Objects ?? []).Select(one => new StoredObject(
                one.Key[Full(folder).Length..], one.Size ?? 0, new DateTimeOffset(one.LastModified?.ToUniversalTime() ?? default))));
            if (page.IsTruncated != true)
            {
                return found;
            }

            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public async Task PutAsync(string key, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(bytes.ToArray(), writable: false);
        var request = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = Full(key),
            InputStream = content,
            UseChunkEncoding = false,
        };
        await _client.PutObjectAsync(request, cancellationToken);
    }

    /// <summary>Begins an object of parts; the id that they are sent under.</summary>
    public async Task<string> BeginAsync(string key, CancellationToken cancellationToken) =>
        (await _client.InitiateMultipartUploadAsync(_options.Bucket, Full(key), cancellationToken)).UploadId;

    public async Task<PartETag> PutPartAsync(
        string key, string id, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(bytes.ToArray(), writable: false);
        var request = new UploadPartRequest
        {
            BucketName = _options.Bucket,
            Key = Full(key),
            UploadId = id,
            PartNumber = number,
            InputStream = content,
            PartSize = bytes.Length,
            UseChunkEncoding = false,
        };
        return new PartETag(number, (await _client.UploadPartAsync(request, cancellationToken)).ETag);
    }

    /// <summary>Makes the object of its parts, in one step.</summary>
    public Task CompleteAsync(string key, string id, List<PartETag> parts, CancellationToken cancellationToken) =>
        _client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = Full(key), UploadId = id, PartETags = parts },
            cancellationToken);

    /// <summary>
    /// Gives up an object of parts. What a server keeps of it all the same is for the bucket's rule for unfinished uploads to remove.
    /// </summary>
    public async Task AbortAsync(string key, string id)
    {
        try
        {
            await _client.AbortMultipartUploadAsync(_options.Bucket, Full(key), id, CancellationToken.None);
        }
        catch (AmazonServiceException)
        {
            // The caller's own fault, or the server's, is what counts.
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>As other clients send them: encoded, as this one does, not every server finds the source of a copy.</summary>
    private static void SendSlashes(object sender, RequestEventArgs request)
    {
        if (request is WebServiceRequestEventArgs { Headers: { } headers } && headers.TryGetValue(CopySource, out var source))
        {
            headers[CopySource] = source.Replace("%2F", "/", StringComparison.Ordinal);
        }
    }

    private string Full(string key) => _options.Prefix + key;
}

/// <summary>An object of the bucket.</summary>
/// <param name="Name">Below its folder.</param>
/// <param name="Length">Bytes.</param>
/// <param name="At">When it was written.</param>
internal readonly record struct StoredObject(string Name, long Length, DateTimeOffset At);
