using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Contracts.Devices;

/// <summary>The only place where a device's id becomes a grain key.</summary>
public static class DeviceGrainFactoryExtensions
{
    public static IDeviceGrain GetDevice(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeviceGrain>(DeviceKey.Of(tenant, device));
    }

    public static IDeviceCertificatesGrain GetDeviceCertificates(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeviceCertificatesGrain>(DeviceKey.Of(tenant, device));
    }

    public static IDeviceTrustGrain GetDeviceTrust(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeviceTrustGrain>(DeviceKey.Of(tenant, device));
    }

    public static IDeviceSerialGrain GetDeviceSerial(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeviceSerialGrain>(DeviceKey.Of(tenant, device));
    }

    public static IKeyGrain GetKey(this IGrainFactory grains, string keySha256)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IKeyGrain>(keySha256);
    }
}

/// <summary>The key of everything that is keyed by a device: <c>tenant/device</c>.</summary>
public static class DeviceKey
{
    public static string Of(TenantId tenant, DeviceId device) => $"{tenant}/{device}";

    public static RecordKey RecordOf((TenantId Tenant, DeviceId Device) device) =>
        new(GrainTypes.Device, Of(device.Tenant, device.Device));

    public static (TenantId Tenant, DeviceId Device) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TenantId.TryParse(key[..slash], out var tenant) && DeviceId.TryParse(key[(slash + 1)..], out var device)
            ? (tenant, device)
            : throw new FormatException($"'{key}' is not a key of the form tenant/device.");
    }
}
