using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.ServiceDefaults.Health;

/// <summary>The listener of the probes: plain HTTP that answers two questions and nothing else. Section <c>Muster:Health</c>.</summary>
public sealed class HealthOptions
{
    public const string SectionName = "Muster:Health";

    /// <summary>The port of a host that is part of a cluster; one process has the listener only when a port is set.</summary>
    public const int PortDefault = 8081;

    /// <summary>The IP address to listen on; <c>*</c> for all, which is what a kubelet needs.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>No listener when it is not set; 0 lets the system choose (tests).</summary>
    [Range(0, 65535)]
    public int? Port { get; set; }
}

[OptionsValidator]
internal sealed partial class HealthOptionsValidator : IValidateOptions<HealthOptions>;
