using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Gateway.Images;

/// <summary>
/// How devices get images from this gateway. Section <c>Muster:Downloads</c>. Limits are each gateway's own: with several, divide.
/// </summary>
public sealed class DownloadOptions
{
    public const string SectionName = "Muster:Downloads";

    /// <summary>More sites with limits of their own than that are not a configuration any more.</summary>
    public const int SitesMax = 10_000;

    /// <summary>Two buffers a second: below it a download of 100 MB takes an hour for one device alone.</summary>
    public const long BytesPerSecondMin = 16 * 1024;

    /// <summary>
    /// How long a link to an image is good for new requests; what is being sent goes on. Long enough for the spread and for a download of
    /// 250 MB at a megabit with its interruptions; a device whose link is over says hello and gets another.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan LinkLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Devices that are offered an image at once fetch it spread over this time. Half a minute takes a wave of ten thousand to some three
    /// hundred handshakes a second, which two cores do. Zero for none.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Spread { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Downloads that this gateway sends at once. Each has a buffer of 64 KiB and an open file: 500 are 32 MB.</summary>
    [Range(1, 100_000)]
    public int TransfersMax { get; set; } = 500;

    /// <summary>Of all downloads of this gateway together; 0 for what the network gives.</summary>
    [Range(0, long.MaxValue)]
    public long BytesPerSecond { get; set; }

    /// <summary>Downloads of one site at once, unless the site has its own limit; 0 for none.</summary>
    [Range(0, 100_000)]
    public int SiteTransfersMax { get; set; }

    /// <summary>Of all downloads of one site together, unless the site has its own limit; 0 for none.</summary>
    [Range(0, long.MaxValue)]
    public long SiteBytesPerSecond { get; set; }

    /// <summary>
    /// What a device that found no place waits before it asks again, at least; at most twice that, at random. Zero is not possible: devices
    /// that come back at once are a load like those that download.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A port without TLS, for a proxy that ends it: there the link alone says who it is. 0, the default, for none. Whoever can reach it
    /// and has a link gets that image.
    /// </summary>
    [Range(0, 65535)]
    public int LinkPort { get; set; }

    /// <summary>
    /// The IP address of <see cref="LinkPort"/>: the proxy's host only, or a network that nobody else is in; <c>*</c> for all.
    /// </summary>
    [Required]
    public string LinkAddress { get; set; } = "127.0.0.1";

    /// <summary>Sites with limits of their own.</summary>
    [MaxLength(SitesMax), ValidateEnumeratedItems]
    public IList<SiteDownloadOptions> Sites { get; init; } = [];
}

/// <summary>The limits of one site, in place of those for all.</summary>
public sealed class SiteDownloadOptions
{
    [Required]
    public string Tenant { get; set; } = "default";

    /// <summary>As devices have it.</summary>
    [Required, MaxLength(DeviceLifecycle.SiteLengthMax)]
    public string Site { get; set; } = "";

    /// <summary>0 for none.</summary>
    [Range(0, 100_000)]
    public int TransfersMax { get; set; }

    /// <summary>0 for none.</summary>
    [Range(0, long.MaxValue)]
    public long BytesPerSecond { get; set; }
}

[OptionsValidator]
internal sealed partial class DownloadOptionsValidator : IValidateOptions<DownloadOptions>;

/// <summary>What no single attribute can say.</summary>
internal sealed class DownloadOptionsCrossValidator : IValidateOptions<DownloadOptions>
{
    public ValidateOptionsResult Validate(string? name, DownloadOptions options)
    {
        var result = new ValidateOptionsResultBuilder();
        AddPace(result, nameof(options.BytesPerSecond), options.BytesPerSecond);
        AddPace(result, nameof(options.SiteBytesPerSecond), options.SiteBytesPerSecond);
        var seen = new HashSet<(string Tenant, string Site)>();
        foreach (var site in options.Sites)
        {
            AddPace(result, $"{nameof(options.Sites)} '{site.Site}': {nameof(site.BytesPerSecond)}", site.BytesPerSecond);
            if (!TenantId.TryParse(site.Tenant, out _))
            {
                result.AddError($"{nameof(options.Sites)} '{site.Site}': '{site.Tenant}' is not the name of a tenant.");
            }

            if (!seen.Add((site.Tenant, site.Site)))
            {
                result.AddError($"{nameof(options.Sites)} '{site.Site}' is there twice.");
            }
        }

        if (options.LinkLifetime <= options.Spread)
        {
            result.AddError(
                $"{nameof(options.LinkLifetime)} has to be longer than {nameof(options.Spread)}: "
                + "links would be over before they are used.");
        }

        return result.Build();
    }

    private static void AddPace(ValidateOptionsResultBuilder result, string name, long value)
    {
        if (value is > 0 and < DownloadOptions.BytesPerSecondMin)
        {
            result.AddError($"{name} is {value}; it is 0, for no limit, or at least {DownloadOptions.BytesPerSecondMin} bytes a second.");
        }
    }
}
