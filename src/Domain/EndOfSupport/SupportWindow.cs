namespace Muster.Domain.EndOfSupport;

/// <summary>
/// A vendor's dates for one product, each null until announced. Instants, because a test of the whole road cannot wait for
/// midnight; a date without a time is its first instant in UTC.
/// </summary>
/// <param name="DiscontinuedAt">It leaves sale.</param>
/// <param name="OsSupportEndsAt">The last instant with OS support: from here on nobody fixes its vulnerabilities.</param>
/// <param name="HardwareSupportEndsAt">Repair and replacement end.</param>
[GenerateSerializer, Immutable, Alias("muster.support-window")]
public readonly record struct SupportWindow(
    [property: Id(0)] DateTimeOffset? DiscontinuedAt,
    [property: Id(1)] DateTimeOffset? OsSupportEndsAt,
    [property: Id(2)] DateTimeOffset? HardwareSupportEndsAt);

/// <summary>How a product is supported on a date. A fact beside a device's state, never a state of it.</summary>
public enum SupportStatus
{
    /// <summary>Never stored, never answered.</summary>
    Unspecified = 0,

    /// <summary>For more than twelve months to come.</summary>
    Supported = 1,

    /// <summary>Support ends within twelve calendar months.</summary>
    EndingWithin12Months = 2,

    /// <summary>Terminal for the product: support has ended.</summary>
    EndOfSupport = 3,

    /// <summary>No date is announced, and none follows from another.</summary>
    NoDateAnnounced = 4,
}
