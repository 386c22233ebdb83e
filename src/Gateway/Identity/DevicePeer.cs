using Microsoft.AspNetCore.Connections.Features;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Gateway.Identity;

/// <summary>Who is at the other end of a TLS connection, read once per handshake.</summary>
internal sealed class DevicePeer(TenantId tenant, DeviceTrust? trust = null)
{
    private DeviceIdentityResult? _result;
    private object? _version;

    /// <summary>From the TLS server name; installations for one enterprise have one tenant.</summary>
    public TenantId Tenant { get; } = tenant;

    /// <summary>
    /// What the handshake said; a connection without a certificate never gets past it. An anchor that was removed since takes it back.
    /// </summary>
    public DeviceIdentityResult? Result
    {
        get
        {
            if (_result is not { Identity: { } identity } result || trust is null)
            {
                return _result;
            }

            // A change is looked at once; a look without one costs a comparison.
            var version = trust.VersionOf(Tenant);
            if (!ReferenceEquals(version, _version))
            {
                if (!trust.Confirms(Tenant, result))
                {
                    _result = new DeviceIdentityResult(null, CertificateErrors.Untrusted(identity.Device.Value));
                    return _result;
                }

                _version = version;
            }

            return result;
        }

        set => _result = value;
    }

    public static DevicePeer? Of(IDictionary<object, object?> connectionItems) =>
        connectionItems.TryGetValue(typeof(DevicePeer), out var peer) ? peer as DevicePeer : null;

    public static DevicePeer? Of(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>() is { } feature ? Of(feature.Items) : null;
}
