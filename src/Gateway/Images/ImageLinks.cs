using System.Buffers.Text;
using System.Globalization;
using Microsoft.Extensions.Options;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Grpc;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Images;

/// <summary>
/// Makes and judges links: <c>/v1/images/{digest}?tenant=…&amp;device=…&amp;expires=…&amp;key=…&amp;signature=…</c>. The secrets are the
/// installation's; they are here before the first device is.
/// </summary>
internal sealed partial class ImageLinks(
    IGrainFactory grains, IOptions<DownloadOptions> options, TimeProvider clock, ILogger<ImageLinks> logger) : BackgroundService
{
    /// <summary>
    /// Far more often than secrets change; a gateway that misses a change signs with the one before, which the others know for two days.
    /// </summary>
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(10);

    /// <summary>A link with a key that is not known here may be of a gateway that heard of it first; or it is made up.</summary>
    private static readonly TimeSpan UnknownInterval = TimeSpan.FromSeconds(1);

    /// <summary>A silo that has just joined may refuse for a moment.</summary>
    private const int AttemptsMax = 10;

    private static readonly TimeSpan AttemptInterval = TimeSpan.FromSeconds(1);

    /// <summary>Of 32 bytes in base64url without padding.</summary>
    private const int SignatureLength = 43;

    private readonly Lock _lock = new();
    private LinkKeys _keys = LinkKeys.None;
    private long _askedAt;
    private Task _asking = Task.CompletedTask;

    /// <summary>Path and query for a device; good from now for <see cref="DownloadOptions.LinkLifetime"/>.</summary>
    public string PathOf(DeviceAddress device, ImageDigest image)
    {
        var key = Volatile.Read(ref _keys).Newest ?? throw new InvalidOperationException("Links are signed after the start only.");
        var expiresAt = (clock.GetUtcNow() + options.Value.LinkLifetime).ToUnixTimeSeconds();
        var link = new ImageLink(device.Tenant, device.Device, image, expiresAt);
        Span<byte> signature = stackalloc byte[ImageLink.SignatureBytes];
        link.Sign(key, signature);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"/v1/images/{image.Value}?tenant={link.Tenant.Value}&device={Uri.EscapeDataString(link.Device.Value)}"
            + $"&expires={expiresAt}&key={key.Number}&signature={Base64Url.EncodeToString(signature)}");
    }

    /// <summary>The device that the request's link is for, or why the link is not good.</summary>
    public async ValueTask<(DeviceAddress Device, FleetError? Error)> CheckAsync(HttpRequest request, ImageDigest image)
    {
        if (!request.Query.ContainsKey("signature"))
        {
            return (default, DownloadErrors.LinkMissing());
        }

        if (Read(request.Query, image) is not { } read)
        {
            return (default, DownloadErrors.LinkInvalid("it cannot be read"));
        }

        if (Volatile.Read(ref _keys).Find(read.Key) is null)
        {
            await AskAgainAsync();
        }

        if (Volatile.Read(ref _keys).Find(read.Key) is not { } key)
        {
            return (default, DownloadErrors.LinkInvalid("its key is not in use"));
        }

        var link = read.Link;
        return !link.IsSigned(key, read.Signature) ? (default, DownloadErrors.LinkInvalid("it is not for this image, or was altered"))
            : link.IsExpired(clock.GetUtcNow()) ? (default, DownloadErrors.LinkExpired(DateTimeOffset.FromUnixTimeSeconds(link.ExpiresAt)))
            : (new DeviceAddress(link.Tenant, link.Device), null);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await AskAsync();
                break;
            }
            catch (Exception fault) when (attempt < AttemptsMax && ErrorInterceptor.IsPassing(fault))
            {
                await Task.Delay(AttemptInterval, clock, cancellationToken);
            }
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RefreshInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await AskAsync();
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                LogUnanswered(logger, fault);
            }
        }
    }

    private async Task AskAsync()
    {
        _askedAt = clock.GetTimestamp();
        Volatile.Write(ref _keys, await grains.GetLinkKeys().GetAsync());
    }

    /// <summary>At most once in a while, and once for all who wait.</summary>
    private async Task AskAgainAsync()
    {
        Task asking;
        lock (_lock)
        {
            if (_asking.IsCompleted && clock.GetElapsedTime(_askedAt) >= UnknownInterval)
            {
                _asking = AskAsync();
            }

            asking = _asking;
        }

        try
        {
            await asking;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            LogUnanswered(logger, fault);
        }
    }

    private static (ImageLink Link, int Key, byte[] Signature)? Read(IQueryCollection query, ImageDigest image)
    {
        var signature = new byte[ImageLink.SignatureBytes];
        return TenantId.TryParse(query["tenant"], out var tenant)
            && DeviceId.TryParse(query["device"], out var device)
            && long.TryParse(query["expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var expiresAt)
            && expiresAt <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            && int.TryParse(query["key"], NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            && query["signature"].ToString() is { Length: SignatureLength } text
            && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, signature, out var length)
            && length == signature.Length
                ? (new ImageLink(tenant, device, image, expiresAt), key, signature)
                : null;
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The keys that links to images are signed with could not be read; those that are known go on")]
    private static partial void LogUnanswered(ILogger logger, Exception fault);
}
