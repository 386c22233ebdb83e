using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Muster.Domain.Tenants;

namespace Muster.Gateway.Broker;

/// <summary>An MQTT broker that stands between devices and this gateway. Off without an address. Section <c>Muster:Broker</c>.</summary>
public sealed class BrokerOptions
{
    public const string SectionName = "Muster:Broker";

    /// <summary>The broker's host name or IP address, as its server certificate names it; empty for no broker.</summary>
    public string Address { get; set; } = "";

    /// <summary>The listener that the broker has for gateways.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 8884;

    /// <summary>PEM file: who signs the broker's server certificate. Nobody else is believed.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>PEM file: the certificate that this gateway shows the broker.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM file: its key.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>
    /// The gateway's name at the broker: its own, and the same after every restart, because the broker keeps what was not acknowledged
    /// under it.
    /// </summary>
    [RegularExpression("[A-Za-z0-9._-]{0,64}")]
    public string ClientId { get; set; } = "";

    /// <summary>The share that the installation's gateways have in common.</summary>
    [Required, RegularExpression("[A-Za-z0-9._-]{1,64}")]
    public string Group { get; set; } = "muster";

    /// <summary>Connections to the broker. One carries thousands of messages per second; more are for brokers that limit each.</summary>
    [Range(1, 16)]
    public int Connections { get; set; } = 1;

    /// <summary>
    /// The user property in which the broker says who published; empty when the broker's access rules bind the topic to the device.
    /// </summary>
    [MaxLength(100)]
    public string IdentityProperty { get; set; } = "";

    /// <summary>
    /// Whether AXIS OS' own topics are taken from the broker too. Off, because its rules have to bind <c>axis/{name}/event/#</c> to the
    /// device before: where anybody may write there, anybody could raise and end the alarms of all.
    /// </summary>
    public bool AxisEvents { get; set; }

    /// <summary>
    /// Messages of one connection that the broker may send before one is acknowledged: what is under way in the gateway's memory. 256 hide
    /// a store's commit at some tens of thousands per second, and are 64 MiB if each is as large as it may be.
    /// </summary>
    [Range(8, 65535)]
    public int ReceiveMax { get; set; } = 256;

    /// <summary>As of the devices' own listener. The broker has to refuse larger ones: what it does not hand on is lost.</summary>
    [Range(4 * 1024, 4 * 1024 * 1024)]
    public int PacketBytesMax { get; set; } = 256 * 1024;

    /// <summary>How long the broker keeps messages for a gateway that is away: a weekend.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromDays(3);

    /// <summary>
    /// Messages of one device in this gateway's memory, as of the devices' own listener. What it sends beyond that is refused: it cannot be
    /// made to wait in its own socket here.
    /// </summary>
    [Range(4, 1024)]
    public int DeviceMessagesMax { get; set; } = 64;

    /// <summary>Messages per second of one device before it is slowed down.</summary>
    [Range(1, 1_000_000)]
    public int MessagesPerSecond { get; set; } = 50;

    /// <summary>Messages at once before the rate counts.</summary>
    [Range(1, 1_000_000)]
    public int MessagesBurst { get; set; } = 200;

    /// <summary>Devices that this gateway has in memory, at some 500 bytes each.</summary>
    [Range(1, 10_000_000)]
    public int DevicesMax { get; set; } = 500_000;

    /// <summary>Down messages that wait for the broker; at the limit the oldest goes, because the record repeats what matters.</summary>
    [Range(16, 1_000_000)]
    public int DownMessagesMax { get; set; } = 16_384;

    /// <summary>A device that said nothing for so long counts as gone, whether or not the broker sent its last will.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan SilenceMax { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Before a gateway is taken away for good: it leaves the share and takes what the broker still has for it, until there is nothing.
    /// </summary>
    public bool Drain { get; set; }

    public bool IsOn => Address.Length > 0;
}

[OptionsValidator]
internal sealed partial class BrokerOptionsValidator : IValidateOptions<BrokerOptions>;

/// <summary>What has to be there when there is a broker at all.</summary>
internal sealed class BrokerOptionsCrossValidator(TenantDirectory? tenants = null) : IValidateOptions<BrokerOptions>
{
    public ValidateOptionsResult Validate(string? name, BrokerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.IsOn)
        {
            return ValidateOptionsResult.Success;
        }

        List<string> problems = [];
        CheckFile(problems, nameof(options.CaFile), options.CaFile);
        CheckFile(problems, nameof(options.CertificateFile), options.CertificateFile);
        CheckFile(problems, nameof(options.KeyFile), options.KeyFile);
        if (options.ClientId.Length == 0)
        {
            problems.Add(
                $"{BrokerOptions.SectionName}:ClientId is missing: a name that this gateway has alone, and again after every restart.");
        }

        if (tenants?.IsShared == true)
        {
            // One tenant could believe a maker of its own that says which serials it likes, and come with them to the other's broker.
            problems.Add(
                $"{BrokerOptions.SectionName} is for an installation of one tenant: a broker sees a serial, and not whose it is.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void CheckFile(List<string> problems, string option, string path)
    {
        if (!File.Exists(path))
        {
            problems.Add($"{BrokerOptions.SectionName}:{option} is '{path}', and there is no such file.");
        }
    }
}
