using System.Collections.Immutable;
using Muster.Artifacts;
using Muster.Contracts.Images;
using Muster.Domain.Images;

namespace Muster.Silo.Images;

/// <summary>The bytes behind image grains: read from the artifact store and verified in this silo, off the grains' threads.</summary>
internal sealed class ImageVault(IArtifactStore store, IImageVerifier verifier, TimeProvider clock) : IImageVault
{
    public Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImmutableArray<byte> signature) => Task.Run(() =>
    {
        // Published bytes count too: another tenant may have them in its catalogue.
        using var content = store.OpenStaged(digest) ?? store.OpenPublished(digest);
        return content is null
            ? ImageVerdict.Refuse(ImageErrors.NotUploaded(digest))
            : verifier.Verify(content, signature.AsMemory(), clock.GetUtcNow());
    });

    public Task<bool> PublishAsync(ImageDigest digest) => Task.Run(() => store.Publish(digest));
}
