using Muster.Domain.Identity;

namespace Muster.Domain.Devices;

/// <summary>Decides whether an identity may speak for a device: asked for every connection, message and download (I5).</summary>
public static class DeviceAdmission
{
    /// <summary>Null when it may. An expected device may connect and say hello; the hello is judged by the enrolment's rules.</summary>
    public static FleetError? Check(Device? device, DeviceId id, DeviceIdentity identity, DateTimeOffset now)
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
            DeviceState.Returned or DeviceState.Withdrawn => DeviceErrors.NotExpected(id),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or
            DeviceState.Decommissioning => CheckOnRecord(device, identity, now),
            _ => throw new UnreachableException($"Device '{id}' has unknown state {device.State}."),
        };
    }

    /// <summary>As <see cref="Check"/>, for messages of a device that has proved itself; its approval may be outstanding.</summary>
    public static FleetError? CheckEnrolled(Device? device, DeviceId id, DeviceIdentity identity, DateTimeOffset now) =>
        Check(device, id, identity, now) ?? (device!.State == DeviceState.Expected ? DeviceErrors.NotEnrolled(id) : null);

    /// <summary>
    /// Only the digest that the desired state names, and only in service. Without an identity for whoever has a link, which the edge has
    /// verified: it was given to this device, for this digest.
    /// </summary>
    public static FleetError? CheckDownload(
        Device? device, DeviceId id, DeviceIdentity? identity, string digest, DateTimeOffset now)
    {
        var refused = identity is not null ? CheckEnrolled(device, id, identity, now)
            : device is null ? DeviceErrors.NotExpected(id)
            : null;
        if (refused is not null)
        {
            return refused;
        }

        return identity?.IsVouched != true
            && device is { State: DeviceState.InService, Suspicion: null, Desired.Os: { } os } && os.Digest == digest
            ? null
            : DeviceErrors.DownloadNotAllowed(id, digest);
    }

    /// <summary>
    /// How long what <see cref="Check"/> said of this identity stays true while the record stays as it is; null for as long as it does.
    /// </summary>
    public static DateTimeOffset? ValidUntil(Device device, DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(identity);
        return identity.IsOperational ? Find(device, identity)?.AcceptedUntil : null;
    }

    private static FleetError? CheckOnRecord(Device device, DeviceIdentity identity, DateTimeOffset now)
    {
        if (identity.IsVouched)
        {
            // A broker's word stands in for a key that was proved here once, and for nothing else: nobody enrols on it.
            return device.Identity is not null && identity.Device == device.Id ? null : DeviceErrors.IdentityNotProven(device.Id);
        }

        if (!identity.IsOperational)
        {
            return IsMakers(device, identity) ? null : DeviceErrors.IdentityMismatch(device.Id);
        }

        if (Find(device, identity) is not { } certificate)
        {
            return DeviceErrors.IdentityMismatch(device.Id);
        }

        // Of a connection that lives longer than the certificate that opened it.
        return now < certificate.AcceptedUntil ? null : CertificateErrors.Expired(device.Id.Value);
    }

    /// <summary>True for the maker's identity on record; before the enrolment there is none: any of this device's maker will do.</summary>
    private static bool IsMakers(Device device, DeviceIdentity identity) => device.Identity is { } known
        ? known.Key == identity.Key && known.Certificate == identity.Certificate
            && known.Profile == identity.Profile && identity.Device == device.Id
        : identity.Device == device.Id;

    /// <summary>The certificate of the fleet CA that this identity was read from; null when the device has no such one.</summary>
    private static OperationalCertificate? Find(Device device, DeviceIdentity identity) =>
        device.Identity?.Profile == identity.Profile && identity.Device == device.Id
            ? device.Certificates.FirstOrDefault(certificate => certificate.Certificate == identity.Certificate)
            : null;
}
