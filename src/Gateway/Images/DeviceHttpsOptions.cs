using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.Gateway.Images;

/// <summary>The HTTPS listener for devices. Section <c>Muster:DeviceHttps</c>.</summary>
public sealed class DeviceHttpsOptions
{
    public const string SectionName = "Muster:DeviceHttps";

    /// <summary>The IP address to listen on; <c>*</c> for all. Loopback in one-process mode.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>0 lets the system choose (tests).</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8443;

    /// <summary>
    /// Connections at a time whose handshake is over. A device has one while it asks for a certificate or downloads. Strangers get through
    /// the handshake too, because they have to be told why they are refused; they keep their place among the handshakes meanwhile.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ConnectionsMax { get; set; } = 10_000;

    /// <summary>How long somebody whose certificate proves nothing may stay: one request and its refusal.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan StrangerTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

[OptionsValidator]
internal sealed partial class DeviceHttpsOptionsValidator : IValidateOptions<DeviceHttpsOptions>;
