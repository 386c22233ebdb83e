namespace Muster.Gateway.Images;

/// <summary>The stored images as the download endpoint needs them.</summary>
public interface IDeviceImages
{
    /// <summary>Opens an image for reading at any position; null when it is not stored. The caller disposes it.</summary>
    /// <param name="digest">SHA-256 of the file, 64 lower-case hex digits.</param>
    /// <param name="cancellationToken">The request's.</param>
    Task<Stream?> OpenAsync(string digest, CancellationToken cancellationToken);
}
