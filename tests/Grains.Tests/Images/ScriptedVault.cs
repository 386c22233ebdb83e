using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Contracts.Images;
using Muster.Domain.Images;

namespace Muster.Grains.Tests.Images;

/// <summary>The bytes as the image grain sees them: verdicts of a script, and which bytes are servable.</summary>
internal sealed class ScriptedVault : IImageVault
{
    private readonly ConcurrentDictionary<ImageDigest, ImageVerdict> _verdicts = new();
    private readonly ConcurrentDictionary<ImageDigest, bool> _published = new();
    private readonly ConcurrentQueue<ImageDigest> _examined = new();

    /// <summary>Bytes that vanish between verification and publication.</summary>
    public ConcurrentDictionary<ImageDigest, bool> Vanished { get; } = new();

    /// <summary>Publication throws: the volume is gone.</summary>
    public ConcurrentDictionary<ImageDigest, bool> Broken { get; } = new();

    /// <summary>What happens while these bytes are read.</summary>
    public ConcurrentDictionary<ImageDigest, Func<Task>> Meanwhile { get; } = new();

    public void Upload(ImageDigest digest, ImageVerdict verdict) => _verdicts[digest] = verdict;

    public bool IsServable(ImageDigest digest) => _published.ContainsKey(digest);

    public int ExaminationsOf(ImageDigest digest) => _examined.Count(examined => examined == digest);

    public async Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImageFormat format, ImmutableArray<byte> signature)
    {
        _examined.Enqueue(digest);
        if (Meanwhile.TryRemove(digest, out var work))
        {
            await work();
        }

        return _verdicts.TryGetValue(digest, out var verdict) ? verdict : ImageVerdict.Refuse(ImageErrors.NotUploaded(digest));
    }

    public Task<bool> PublishAsync(ImageDigest digest)
    {
        if (Broken.ContainsKey(digest))
        {
            throw new IOException("The volume is gone on purpose.");
        }

        return Task.FromResult(!Vanished.ContainsKey(digest) && (_published[digest] = true));
    }
}
