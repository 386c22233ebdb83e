using Amazon.S3.Model;

namespace Muster.Artifacts;

/// <summary>Bytes that become one object, part by part: one part in memory, whatever the length of the whole.</summary>
internal sealed class S3PartWriter(S3Objects objects, string key, string id)
{
    /// <summary>S3 takes parts of 5 MiB or more, and 10,000 of them: 8 MiB are 128 for the largest image.</summary>
    public const int PartBytes = 8 * 1024 * 1024;

    private readonly byte[] _part = new byte[PartBytes];
    private readonly List<PartETag> _sent = [];
    private int _length;

    public static async Task<S3PartWriter> BeginAsync(S3Objects objects, string key, CancellationToken cancellationToken) =>
        new(objects, key, await objects.BeginAsync(key, cancellationToken));

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var taken = Math.Min(bytes.Length, PartBytes - _length);
            bytes[..taken].CopyTo(_part.AsMemory(_length));
            (_length, bytes) = (_length + taken, bytes[taken..]);
            if (_length == PartBytes)
            {
                await SendAsync(cancellationToken);
            }
        }
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await SendAsync(cancellationToken);
        await objects.CompleteAsync(key, id, _sent, cancellationToken);
    }

    public Task AbortAsync() => objects.AbortAsync(key, id);

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        if (_length > 0)
        {
            _sent.Add(await objects.PutPartAsync(key, id, _sent.Count + 1, _part.AsMemory(0, _length), cancellationToken));
            _length = 0;
        }
    }
}
