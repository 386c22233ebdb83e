using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Muster.Artifacts;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Gateway.Devices;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Images;

/// <summary>
/// <c>GET /v1/images/{digest}</c>: the bytes of the image that the device's desired state names, whole or in ranges. The
/// device's grain is asked on every request, also on every range of a resumed download.
/// </summary>
internal sealed partial class DeviceDownloads(
    IGrainFactory grains, IArtifactStore images, AdmissionGate gate, OpenDownloads downloads, ILogger<DeviceDownloads> logger)
{
    public async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetAsync(HttpContext http, string digest)
    {
        if (DevicePeer.Of(http) is not { Result.Identity: { } identity } peer)
        {
            return Refuse(http, DevicePeer.Of(http)?.Result?.Error ?? CertificateErrors.Missing());
        }

        var device = identity.Device.Value;
        if (!ImageDigest.TryParse(digest, out var image))
        {
            return Refuse(http, FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "A digest has 64 lower-case hex digits."), device);
        }

        var address = new DeviceAddress(peer.Tenant, identity.Device);
        FleetError? error;
        try
        {
            error = await gate.CheckAsync(address)
                ?? await grains.GetDevice(peer.Tenant, identity.Device).AuthorizeDownloadAsync(new AuthorizeDownload(identity, digest));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFault(logger, exception, device);
            error = DeviceMessageErrors.Unavailable();
        }

        if (error is not null)
        {
            return Refuse(http, error, device);
        }

        if (images.OpenPublished(image) is not { } stream)
        {
            var missing = FleetError.Of(ErrorKind.NotFound, "IMAGE_NOT_FOUND", $"Image {digest} is not stored.", ("digest", digest));
            return Refuse(http, missing, device);
        }

        downloads.Open(http, address, identity, digest);

        // The bytes are named by their digest: they never change, and a resumed download is sure of them.
        var tag = new EntityTagHeaderValue($"\"{digest}\"");
        return TypedResults.Stream(stream, "application/octet-stream", entityTag: tag, enableRangeProcessing: true);
    }

    private ProblemHttpResult Refuse(HttpContext http, FleetError error, string device = "unknown")
    {
        LogRefused(logger, device, http.Connection.RemoteIpAddress, error.Reason);
        return DeviceProblems.Of(http, error);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Download by device {DeviceId} from {Remote} refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string deviceId, System.Net.IPAddress? remote, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A download by device {DeviceId} could not be authorised: its grain did not answer")]
    private static partial void LogFault(ILogger logger, Exception exception, string deviceId);
}
