using Muster.Domain.Identity;
using Muster.Domain.Images;

namespace Muster.Domain.Devices;

/// <summary>What a hello must say before a device is trusted. The identity was proved before (<see cref="DeviceAdmission"/>).</summary>
public static class EnrollmentRules
{
    /// <summary>The first check that fails, in a fixed order, so that a device and its installer get the same answer every time.</summary>
    public static FleetError? Check(Device device, ObservedHello hello)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(hello);
        if (device.ExpectedCertificateSha256 is { } certificate && certificate != hello.Origin.Identity.CertificateSha256)
        {
            return DeviceErrors.CertificateNotExpected(device.Id, hello.Origin.Identity.CertificateSha256, certificate);
        }

        if (hello.Model != device.Expected.Model)
        {
            return DeviceErrors.ModelMismatch(device.Id, hello.Model, device.Expected.Model);
        }

        if (!hello.Os.FactoryDefault)
        {
            return DeviceErrors.NotFactoryDefault(device.Id);
        }

        if (!hello.Os.SecureBoot)
        {
            return DeviceErrors.SecureBootMissing(device.Id);
        }

        return IsAtLeast(hello.Os.Version, device.OsFloor)
            ? null
            : DeviceErrors.OsBelowFloor(device.Id, hello.Os.Version, device.OsFloor);
    }

    /// <summary>Null when the certificate that an approver has seen is the one that the device shows.</summary>
    internal static FleetError? CheckSeen(DeviceIdentity identity, Sha256Hash seen) =>
        Sha256Hash.Parse(identity.CertificateSha256) == seen
            ? null
            : DeviceErrors.CertificateChanged(identity.Device, identity.CertificateSha256);

    /// <summary>True when there is no floor, or the version is one and not below it.</summary>
    internal static bool IsAtLeast(string version, string floor) =>
        floor.Length == 0
        || (OsVersion.TryParse(version, out var actual) && OsVersion.TryParse(floor, out var lowest) && actual >= lowest);
}
