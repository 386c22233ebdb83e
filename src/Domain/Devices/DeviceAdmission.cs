using Muster.Domain.Identity;

namespace Muster.Domain.Devices;

/// <summary>Decides whether an identity may speak for a device: asked for every connection, message and download (I5).</summary>
public static class DeviceAdmission
{
    /// <summary>Null when it may. An expected device may connect and say hello; the hello is judged by the enrolment's rules.</summary>
    public static FleetError? Check(Device? device, DeviceId id, DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (device is null)
        {
            return DeviceErrors.NotExpected(id);
        }

        return device.State switch
        {
            DeviceState.Decommissioned => DeviceErrors.Tombstone(id),
            // It is at the vendor: whoever speaks with its certificate is not where it belongs.
            DeviceState.Returned => DeviceErrors.NotExpected(id),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or
            DeviceState.Decommissioning => IsOnRecord(device, identity) ? null : DeviceErrors.IdentityMismatch(id),
            _ => throw new UnreachableException($"Device '{id}' has unknown state {device.State}."),
        };
    }

    /// <summary>As <see cref="Check"/>, for messages of a device that has proved itself; its approval may be outstanding.</summary>
    public static FleetError? CheckEnrolled(Device? device, DeviceId id, DeviceIdentity identity) =>
        Check(device, id, identity) ?? (device!.State == DeviceState.Expected ? DeviceErrors.NotEnrolled(id) : null);

    /// <summary>Only the digest that the desired state names, and only in service.</summary>
    public static FleetError? CheckDownload(Device? device, DeviceId id, DeviceIdentity identity, string digest)
    {
        if (CheckEnrolled(device, id, identity) is { } refused)
        {
            return refused;
        }

        return device is { State: DeviceState.InService, Desired.Os: { } os } && os.Digest == digest
            ? null
            : DeviceErrors.DownloadNotAllowed(id, digest);
    }

    /// <summary>True for the identity on record; before the enrolment there is none: any certificate of this device will do.</summary>
    private static bool IsOnRecord(Device device, DeviceIdentity identity) => device.Identity is { } known
        ? known.KeySha256 == identity.KeySha256 && known.CertificateSha256 == identity.CertificateSha256
            && known.Profile == identity.Profile && identity.Device == device.Id
        : identity.Device == device.Id;
}
