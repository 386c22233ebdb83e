namespace Muster.Grains.Enrollments;

/// <summary>How an installation treats devices that nobody expects. Read from the section <c>Muster:Enrollment</c>.</summary>
public sealed class EnrollmentOptions
{
    public const string SectionName = "Muster:Enrollment";

    /// <summary>
    /// Whether a device with a trusted identity of its maker that no delivery list expects may ask to be let in, and waits for an operator
    /// then. Default: false, it is refused. Whoever buys a camera of the same maker has such an identity.
    /// </summary>
    public bool UnknownDevicesMayApply { get; set; }
}
