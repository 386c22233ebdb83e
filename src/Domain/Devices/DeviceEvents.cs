using Muster.Domain.Decommissioning;
using Muster.Domain.Policies;

namespace Muster.Domain.Devices;

// A fact does not repeat the device: the feed entry names the record and the actor.

/// <summary>The device is on a delivery list.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-expected")]
public sealed record DeviceExpected([property: Id(0)] ExpectedDevice Spec) : DomainEvent;

/// <summary>The device is expected no longer.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-withdrawn")]
public sealed record DeviceWithdrawn([property: Id(0)] string Cause) : DomainEvent;

/// <summary>The device proved its identity and passed the enrolment checks.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-enrolling")]
public sealed record DeviceEnrolling(
    [property: Id(0)] string Profile,
    [property: Id(1)] string CertificateSha256,
    [property: Id(2)] string KeySha256) : DomainEvent;

/// <summary>The enrolment is approved: the device is in service.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-enrolled")]
public sealed record DeviceEnrolled([property: Id(0)] EnrollmentApproval Approval) : DomainEvent;

/// <summary>An operator denied the enrolment that waited: the device is expected as before.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-enrollment-denied")]
public sealed record DeviceEnrollmentDenied([property: Id(0)] string Cause) : DomainEvent;

/// <summary>Somebody who came as an expected device, or as a tombstone, was refused.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-refused")]
public sealed record DeviceRefused([property: Id(0)] DeviceRefusal Refusal) : DomainEvent;

/// <summary>An operator noted something else of the device.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-edited")]
public sealed record DeviceEdited([property: Id(0)] DeviceEdit Edit) : DomainEvent;

/// <summary>The device said who and what it is.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-hello-taken")]
public sealed record DeviceHelloTaken(
    [property: Id(0)] ReportedOs Os,
    [property: Id(1)] long Generation) : DomainEvent;

/// <summary>The device said how it is set.</summary>
/// <param name="Settings">How many settings it named.</param>
/// <param name="IsApplied">False for a message that a newer one overtook: it is acknowledged, and the newer one stands.</param>
[GenerateSerializer, Immutable, Alias("muster.device-inventory-taken")]
public sealed record DeviceInventoryTaken(
    [property: Id(0)] int Settings,
    [property: Id(1)] bool IsApplied) : DomainEvent;

/// <summary>The device was evaluated against another revision of the policies, or with another verdict.</summary>
[GenerateSerializer, Immutable, Alias("muster.compliance-changed")]
public sealed record ComplianceChanged(
    [property: Id(0)] ComplianceState State,
    [property: Id(1)] long PolicyRevision,
    [property: Id(2)] int NotKept) : DomainEvent;

/// <summary>The device is set apart.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-quarantined")]
public sealed record DeviceQuarantined([property: Id(0)] string Cause) : DomainEvent
{
    /// <summary>Who ordered it; null for the entry's actor. A rule acts on a device's own hello.</summary>
    [Id(55)] public Actor? By { get; init; }
}

/// <summary>The device is back in service.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-released")]
public sealed record DeviceReleased([property: Id(0)] string Cause) : DomainEvent
{
    /// <summary>Who ordered it; null for the entry's actor. A rule acts on a device's own hello.</summary>
    [Id(55)] public Actor? By { get; init; }
}

/// <summary>The end of the device began; it gets the command with this nonce.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-begun")]
public sealed record DecommissionBegun([property: Id(0)] string Nonce) : DomainEvent;

/// <summary>The command was not answered in its time; the device gets a new one.</summary>
[GenerateSerializer, Immutable, Alias("muster.erase-command-replaced")]
public sealed record EraseCommandReplaced([property: Id(0)] string Nonce) : DomainEvent;

/// <summary>The device answered that it could not execute the command.</summary>
[GenerateSerializer, Immutable, Alias("muster.command-failed")]
public sealed record CommandFailed(
    [property: Id(0)] string Nonce,
    [property: Id(1)] string Reason) : DomainEvent;

/// <summary>The device proved its erasure under the key on record.</summary>
[GenerateSerializer, Immutable, Alias("muster.erasure-proved")]
public sealed record ErasureProved([property: Id(0)] ErasureEvidence Evidence) : DomainEvent;

/// <summary>The device is a tombstone: terminal.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-decommissioned")]
public sealed record DeviceDecommissioned(
    [property: Id(0)] string CertificateSha256,
    [property: Id(1)] string KeySha256) : DomainEvent;
