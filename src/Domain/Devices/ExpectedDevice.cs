namespace Muster.Domain.Devices;

/// <summary>Whether an enrolment that passed its checks needs a human.</summary>
public enum EnrollmentApproval
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The match with the delivery list is the approval.</summary>
    Automatic = 1,

    /// <summary>An operator approves each.</summary>
    Manual = 2,
}

/// <summary>What a delivery list says of a device.</summary>
/// <param name="Model">The product ordered, for example <c>P3265-V</c>; the hello must agree.</param>
/// <param name="Track">The OS track it belongs to: <c>active</c> or a long-term-support line such as <c>12.11</c>.</param>
/// <param name="Site">Where it goes; may be empty. At most 100 characters.</param>
/// <param name="OsFloor">The lowest OS version it may enrol with; empty for none.</param>
/// <param name="Approval">Who approves the enrolment.</param>
[GenerateSerializer, Immutable, Alias("muster.expected-device")]
public sealed record ExpectedDevice(
    [property: Id(0)] string Model,
    [property: Id(1)] string Track,
    [property: Id(2)] string Site,
    [property: Id(3)] string OsFloor,
    [property: Id(4)] EnrollmentApproval Approval)
{
    /// <summary>An order number has a few digits and letters; a bound for the record.</summary>
    public const int OrderLengthMax = 100;

    /// <summary>The order it was bought with; null when nobody said.</summary>
    [Id(5)] public string? Order { get; init; }

    /// <summary>The delivery whose list has it; null when an operator put it there by itself.</summary>
    [Id(6)] public string? Delivery { get; init; }
}

/// <summary>One reported setting.</summary>
/// <param name="Name">The vendor's name, for example <c>Network.SSH.Enabled</c>; at most 200 characters.</param>
/// <param name="Value">As reported; at most 1,000 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.device-setting")]
public sealed record DeviceSetting([property: Id(0)] string Name, [property: Id(1)] string Value);

/// <summary>Cheap health; may be lost.</summary>
/// <param name="UptimeSeconds">Seconds since boot.</param>
/// <param name="TemperatureCelsius">Of the main board; null when not measured.</param>
/// <param name="Note">Free words of the device, at most 200 characters; may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.device-health")]
public sealed record DeviceHealth(
    [property: Id(0)] long UptimeSeconds,
    [property: Id(1)] double? TemperatureCelsius,
    [property: Id(2)] string Note);
