using System.Security.Cryptography.X509Certificates;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Gateway.Identity;

/// <summary>Reads who a client certificate proves a device to be: chain trust to the device-identity roots only, then the profile.</summary>
public interface IDeviceIdentityReader
{
    /// <summary>Reads a certificate whose private key the TLS handshake has just proved.</summary>
    /// <param name="certificate">The leaf.</param>
    /// <param name="intermediates">What the device sent beside it.</param>
    DeviceIdentityReading Read(X509Certificate2 certificate, X509Certificate2Collection intermediates);
}

/// <summary>The identity, or why there is none; exactly one of both.</summary>
public readonly record struct DeviceIdentityReading(DeviceIdentity? Identity, FleetError? Error);
