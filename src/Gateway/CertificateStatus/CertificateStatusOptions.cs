using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Muster.Cryptography.CertificateStatus;

namespace Muster.Gateway.CertificateStatus;

/// <summary>
/// Revocation lists and OCSP answers of the fleet CA, for relying parties. Section <c>Muster:CertificateStatus</c>.
/// </summary>
public sealed class CertificateStatusOptions : IValidatableObject
{
    public const string SectionName = "Muster:CertificateStatus";

    /// <summary>The IP address to listen on; <c>*</c> for all. Default: loopback.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>
    /// The port of the listener, plain HTTP; no listener when it is not set, which is the default. 0 lets the system choose (tests).
    /// </summary>
    [Range(0, 65535)]
    public int? Port { get; set; }

    /// <summary>
    /// What relying parties reach the listener by, as it is written into every certificate: <c>http://HOST[:PORT][/PATH]</c>. Empty, the
    /// default, writes nothing. Silos read it too, because they sign.
    /// </summary>
    public string BaseUrl { get; set; } = "";

    /// <summary>Connections at a time, each with two buffers of some 10 KB; a proxy before it keeps a few for everybody.</summary>
    [Range(1, 100_000)]
    public int ConnectionsMax { get; set; } = 1_000;

    /// <summary>
    /// OCSP requests that silos are asked a second; what is above is told to try later. One grain signs all answers of a cluster.
    /// </summary>
    [Range(1, 100_000)]
    public int OcspPerSecondMax { get; set; } = 200;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (BaseUrl.Length > 0 && StatusAddresses.Parse(BaseUrl).Fault is { } fault)
        {
            yield return new ValidationResult($"{SectionName}:{nameof(BaseUrl)}: {fault}", [nameof(BaseUrl)]);
        }

        if (Address != "*" && !System.Net.IPAddress.TryParse(Address, out _))
        {
            yield return new ValidationResult(
                $"{SectionName}:{nameof(Address)}: '{Address}' is no IP address, and not *.",
                [nameof(Address)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class CertificateStatusOptionsValidator : IValidateOptions<CertificateStatusOptions>;
