using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.Gateway.Grpc;

/// <summary>The operators' API. Section <c>Muster:Grpc</c>; the folder of the CAs is <c>Muster:Pki:Directory</c>.</summary>
public sealed class OperatorsOptions
{
    public const string SectionName = "Muster:Grpc";

    /// <summary>The IP address to listen on; <c>*</c> for all. Loopback in one-process mode.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>0 lets the system choose (tests).</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 7443;

    /// <summary>Where <c>operators-ca.pem</c> and <c>server-ca.pem</c> are.</summary>
    [Required]
    public string PkiDirectory { get; set; } = "";

    /// <summary>A page of a thousand devices has about 1 MiB and a chunk of an image exactly that.</summary>
    [Range(1024 * 1024 + 1024, 64 * 1024 * 1024)]
    public int MessageBytesMax { get; set; } = 4 * 1024 * 1024;

    /// <summary>Calls at a time on one connection; a program that needs more opens a second one.</summary>
    [Range(1, 10_000)]
    public int StreamsPerConnectionMax { get; set; } = 100;

    /// <summary>Watches at a time of all operators: each keeps a buffer and a subscription with every partition.</summary>
    [Range(1, 10_000)]
    public int WatchersMax { get; set; } = 200;

    /// <summary>Watches at a time of one operator, so that one cannot take the places of all.</summary>
    [Range(1, 1_000)]
    public int WatchersPerOperatorMax { get; set; } = 20;

    /// <summary>The longest that a unary call may take; twice a grain call's own time-out.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The longest that an upload may take: an image of 1 GiB over a line of 10 Mbit/s needs a quarter of an hour.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan UploadTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long an operator's roles are remembered: a disabled one is out after this at the latest.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan AccountLifetime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a watched rollout is looked at; people see no more than two pictures a second.</summary>
    [Range(typeof(TimeSpan), "00:00:00.020", "00:01:00")]
    public TimeSpan RolloutWatchInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How often a watch of devices is renewed and sends a resume token. Inventories forget a watcher that has not renewed
    /// for three minutes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.020", "00:01:00")]
    public TimeSpan WatchRenewInterval { get; set; } = TimeSpan.FromMinutes(1);
}

[OptionsValidator]
internal sealed partial class OperatorsOptionsValidator : IValidateOptions<OperatorsOptions>;
