using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Muster.Gateway.Mqtt;

/// <summary>The MQTT listener for devices. Section <c>Muster:Mqtt</c>.</summary>
public sealed class MqttOptions
{
    public const string SectionName = "Muster:Mqtt";

    /// <summary>The IP address to listen on; <c>*</c> for all. Loopback in one-process mode.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>8883 is the port registered for MQTT over TLS; 0 lets the system choose (tests).</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8883;

    /// <summary>An inventory of 500 settings fits in 256 KiB twice; more would only be memory for a hostile peer.</summary>
    [Range(4 * 1024, 4 * 1024 * 1024)]
    public int PacketBytesMax { get; set; } = 256 * 1024;

    /// <summary>An idle connection takes some 20 kB of managed memory and up to twice that in TLS: 50,000 are about 3 GB.</summary>
    [Range(1, 1_000_000)]
    public int ConnectionsMax { get; set; } = 50_000;

    /// <summary>
    /// QoS 1 messages that a device may have unacknowledged. They are answered one after the other, so that more only waits.
    /// </summary>
    [Range(1, 65535)]
    public int ReceiveMax { get; set; } = 64;

    /// <summary>
    /// Messages that wait for one device; at the limit the oldest goes, because the record repeats what matters. A device has
    /// one desired document, one command and a few acknowledgements under way.
    /// </summary>
    [Range(4, 1024)]
    public int QueuedMessagesMax { get; set; } = 32;

    /// <summary>
    /// Messages per second of one device before it is slowed down. A device that reports every step of an update sends fewer
    /// than one; fifty leave room for a fault that repeats, and none for a neighbour to notice.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MessagesPerSecond { get; set; } = 50;

    /// <summary>Messages at once before the rate counts: hello, status, inventory and results after a reconnect, several times.</summary>
    [Range(1, 1_000_000)]
    public int MessagesBurst { get; set; } = 200;

    /// <summary>
    /// Messages per second of all devices together, beyond the <see cref="DeviceSessions.QuietPerSecond"/> that each may always send: more
    /// than two cores answer, so that it only holds back what would otherwise fill queues.
    /// </summary>
    [Range(1, 10_000_000)]
    public int TotalMessagesPerSecond { get; set; } = 100_000;

    /// <summary>
    /// TLS handshakes at once. One takes milliseconds of a core and, on a slow radio link, seconds of waiting: a thousand keep the cores
    /// busy, and take a few megabytes.
    /// </summary>
    [Range(1, 100_000)]
    public int HandshakesMax { get; set; } = 1_024;

    /// <summary>
    /// Of them those of one network (an address of IPv4, a /48 of IPv6): a host that begins handshakes and ends none leaves the others
    /// three quarters. A site behind one address has as many, and the rest of it waits for its turn. With a proxy in front that hides
    /// addresses, as many as <see cref="HandshakesMax"/>.
    /// </summary>
    [Range(1, 100_000)]
    public int HandshakesPerSourceMax { get; set; } = 256;

    /// <summary>
    /// Sockets that wait for their handshake: a whole site of 20,000 devices that comes back at once. When they are so many, whoever comes
    /// from another network takes the place of one of the network that has the most. Turns go round by networks.
    /// </summary>
    [Range(0, 1_000_000)]
    public int HandshakesWaitingMax { get; set; } = 20_000;

    /// <summary>
    /// How long a socket waits for its handshake, then it is closed. A storm of 20,000 devices is over after 71 s on two processors, and
    /// clients give a connect up after 100 s at most: behind a socket that waits longer is nobody.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HandshakeWaitTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// For a handshake, and for the refusal of those whose certificate proves nothing: one time for both. A device behind a slow radio link
    /// needs a few round trips; so many silent sockets as <see cref="HandshakesMax"/> make room for a hundred others each second.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Questions to devices' grains without an answer, above which further devices wait (50 a second begin all the same). So many keep a
    /// silo of two processors busy and are answered within tens of milliseconds; with many silos behind a busy gateway more are under
    /// way in quiet times already.
    /// </summary>
    [Range(1, 100_000)]
    public int CallsBusyMax { get; set; } = 32;

    /// <summary>From the TLS handshake to a whole CONNECT packet.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest silence: NAT tables of access networks forget a flow sooner than this.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "12:00:00")]
    public TimeSpan KeepAliveMax { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>How long a peer may leave a packet unread before its connection is given up.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class MqttOptionsValidator : IValidateOptions<MqttOptions>;
