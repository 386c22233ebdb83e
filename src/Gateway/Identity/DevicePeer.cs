using Microsoft.AspNetCore.Connections.Features;
using Muster.Cryptography.Certificates;
using Muster.Domain;

namespace Muster.Gateway.Identity;

/// <summary>Who is at the other end of a TLS connection, read once per handshake.</summary>
internal sealed class DevicePeer(TenantId tenant)
{
    /// <summary>From the TLS server name; installations for one enterprise have one tenant.</summary>
    public TenantId Tenant { get; } = tenant;

    /// <summary>Set by the handshake; a connection without a certificate never gets past it.</summary>
    public DeviceIdentityResult? Result { get; set; }

    public static DevicePeer? Of(IDictionary<object, object?> connectionItems) =>
        connectionItems.TryGetValue(typeof(DevicePeer), out var peer) ? peer as DevicePeer : null;

    public static DevicePeer? Of(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>() is { } feature ? Of(feature.Items) : null;
}
