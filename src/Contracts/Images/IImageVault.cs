using Muster.Domain.Images;

namespace Muster.Contracts.Images;

/// <summary>
/// Port of the image grain: the bytes of uploads and of images, in the silo's own reach. What an upload's receiver said of them
/// does not count here.
/// </summary>
public interface IImageVault
{
    /// <summary>
    /// Reads the uploaded bytes and verifies their signature. An upload that is not there gives a verdict with an error; only
    /// a fault of the store throws.
    /// </summary>
    Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImageFormat format, ImmutableArray<byte> signature);

    /// <summary>
    /// Makes the uploaded bytes servable. Repeating it is harmless. False when neither the upload nor the image is there.
    /// </summary>
    Task<bool> PublishAsync(ImageDigest digest);
}
