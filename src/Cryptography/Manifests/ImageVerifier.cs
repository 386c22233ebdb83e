using Muster.Cryptography.Bundles;
using Muster.Cryptography.Certificates;
using Muster.Domain.Images;

namespace Muster.Cryptography.Manifests;

/// <summary>Verifies images of every format under the same roots.</summary>
/// <param name="roots">The publishers' roots.</param>
/// <param name="authorities">The roots of authorities for timestamps; with none no timestamp counts.</param>
public sealed class ImageVerifier(TrustStore roots, TrustStore authorities) : IImageVerifier
{
    private readonly CmsImageVerifier _detached = new(roots, authorities);
    private readonly RaucBundleVerifier _bundles = new(roots, authorities);

    public ImageVerdict Verify(Stream content, ImageFormat format, ReadOnlyMemory<byte> signature, DateTimeOffset now) =>
        format == ImageFormat.Detached ? _detached.Verify(content, signature, now) : _bundles.Verify(content, now);
}
