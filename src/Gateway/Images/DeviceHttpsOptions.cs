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
}

[OptionsValidator]
internal sealed partial class DeviceHttpsOptionsValidator : IValidateOptions<DeviceHttpsOptions>;
