using System.Collections.Immutable;
using Muster.Artifacts;
using Muster.Contracts.Images;
using Muster.Domain.Images;

namespace Muster.Silo.Images;

/// <summary>The bytes behind image grains: read from the artifact store and verified in this silo, off the grains' threads.</summary>
internal sealed class ImageVault(IArtifactStore store, IImageVerifier verifier, TimeProvider clock) : IImageVault
{
    public Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImageFormat format, ImmutableArray<byte> signature) => Task.Run(async () =>
    {
        // Published bytes count too: another tenant may have them in its catalogue.
        await using var artifact = await store.FindStagedAsync(digest, CancellationToken.None)
            ?? await store.FindPublishedAsync(digest, CancellationToken.None);
        if (artifact is null)
        {
            return ImageVerdict.Refuse(ImageErrors.NotUploaded(digest));
        }

        await using var content = await artifact.OpenWholeAsync(CancellationToken.None);
        return verifier.Verify(content, format, signature.AsMemory(), clock.GetUtcNow());
    });

    public Task<bool> PublishAsync(ImageDigest digest) => Task.Run(() => store.PublishAsync(digest, CancellationToken.None));
}
