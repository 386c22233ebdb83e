using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Muster.Artifacts;
using Muster.Contracts.Devices;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Gateway.Devices;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Images;

/// <summary>
/// <c>GET /v1/images/{digest}</c>: the bytes of the image that the device's desired state names, whole or in ranges, by a link. The
/// device's own grain is asked before every answer, also on every range of a resumed download; the image's grain is not, see <see
/// cref="ServedImages"/>.
/// </summary>
internal sealed partial class DeviceDownloads(
    IGrainFactory grains,
    IArtifactStore images,
    ImageLinks links,
    ServedImages served,
    AdmissionGate gate,
    OpenDownloads downloads,
    DevicePlaces devices,
    TransferPlaces transfers,
    DoorInstruments doors,
    ILogger<DeviceDownloads> logger)
{
    public async Task<IResult> GetAsync(HttpContext http, string digest)
    {
        var isProved = DeviceArtifactsExtensions.IsDeviceListener(http);
        var peer = DevicePeer.Of(http);
        var identity = isProved ? peer?.Result?.Identity : null;
        if (isProved && identity is null)
        {
            return Refuse(http, peer?.Result?.Error ?? CertificateErrors.Missing());
        }

        if (!ImageDigest.TryParse(digest, out var image))
        {
            var unreadable = FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "A digest has 64 lower-case hex digits.");
            return await RefuseAsync(unreadable);
        }

        var (address, wrong) = await links.CheckAsync(http.Request, image);
        if (wrong is null && identity is not null && address != new DeviceAddress(peer!.Tenant, identity.Device))
        {
            wrong = DownloadErrors.LinkInvalid("it is another device's");
        }

        return wrong is null
            ? await GetAsync(http, downloads.Open(http, address, identity, image))
            : await RefuseAsync(wrong);

        // Whoever may not speak for his device any more learns that, whatever he asks for.
        async Task<IResult> RefuseAsync(FleetError error) => Refuse(
            http,
            (identity is null ? null : await CheckAccessAsync(new DeviceAddress(peer!.Tenant, identity.Device), identity)) ?? error,
            identity?.Device.Value);
    }

    /// <summary>It is open before the questions: a revocation between a yes and the first byte would find nothing to end.</summary>
    private async Task<IResult> GetAsync(HttpContext http, OpenDownload download)
    {
        var device = download.Address.Device.Value;
        var (error, site) = await ClearAsync(download);
        if (error is not null)
        {
            return Refuse(http, error, device);
        }

        TransferPlaces.Place? place = null;
        if (HttpMethods.IsGet(http.Request.Method) && TakePlace(http, download.Address, site, out place) is { } busy)
        {
            var after = transfers.RetryAfter();
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Refuse(http, busy, device);
        }

        if (await images.FindPublishedAsync(download.Image, http.RequestAborted) is { } content)
        {
            http.Response.RegisterForDisposeAsync(content);
            download.IsSent = true;
            return new ServedImage(download.Image, content, place);
        }

        var digest = download.Image.Value;
        var missing = FleetError.Of(ErrorKind.NotFound, "IMAGE_NOT_FOUND", $"Image {digest} is not stored.", ("digest", digest));
        return Refuse(http, missing, device);
    }

    /// <summary>May this device have this image now? All who ask for bytes come by here.</summary>
    private async ValueTask<DownloadClearance> ClearAsync(OpenDownload download)
    {
        var (tenant, device) = download.Address;
        try
        {
            if ((await gate.CheckAsync(download.Address) ?? await gate.CheckAsync(download.ImagePartition)) is { } closed)
            {
                return new DownloadClearance(closed, "");
            }

            var cleared = await grains.GetDevice(tenant, device)
                .ClearDownloadAsync(new AuthorizeDownload(download.Identity, download.Image.Value));
            return cleared.Error is null && await served.CheckAsync(tenant, download.Image, download.ImagePartition) is { } unserved
                ? cleared with { Error = unserved }
                : cleared;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFault(logger, exception, device.Value);
            return new DownloadClearance(DeviceMessageErrors.Unavailable(), "");
        }
    }

    /// <summary>May this identity speak for its device? Of those who ask for what is no download.</summary>
    private async Task<FleetError?> CheckAccessAsync(DeviceAddress address, DeviceIdentity identity)
    {
        try
        {
            return await gate.CheckAsync(address)
                ?? (await grains.GetDeviceAccess(address.Tenant, address.Device).CheckAsync(identity)).Error;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFault(logger, exception, address.Device.Value);
            return DeviceMessageErrors.Unavailable();
        }
    }

    /// <summary>Of the device, of its site and of the gateway; given back with the end of the request.</summary>
    private FleetError? TakePlace(HttpContext http, DeviceAddress address, string site, out TransferPlaces.Place? place)
    {
        place = null;
        var own = DeviceArtifactsExtensions.PlaceOf(http);
        if (own is null)
        {
            // Behind a proxy that ends TLS a connection is nobody's: the request is counted instead.
            own = devices.TryTake(address);
            if (own is null)
            {
                return DownloadErrors.Busy("device", DevicePlaces.ConnectionsMax);
            }

            http.Response.RegisterForDispose(own);
        }

        if (own.TryBeginTransfer() is not { } transfer)
        {
            return DownloadErrors.Busy("device", DevicePlaces.TransfersMax);
        }

        http.Response.RegisterForDispose(transfer);
        place = transfers.TryTake(address.Tenant, site, out var busy);
        if (place is not null)
        {
            http.Response.RegisterForDispose(place);
        }

        return busy;
    }

    private ProblemHttpResult Refuse(HttpContext http, FleetError error, string? device = null)
    {
        LogRefused(logger, device ?? "unknown", http.Connection.RemoteIpAddress, error.Reason);
        doors.Refused(error.Reason);
        return DeviceProblems.Of(http, error);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Download by device {DeviceId} from {Remote} refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string deviceId, System.Net.IPAddress? remote, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A download by device {DeviceId} could not be authorised: its grain did not answer")]
    private static partial void LogFault(ILogger logger, Exception exception, string deviceId);
}
