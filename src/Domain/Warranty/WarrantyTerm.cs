namespace Muster.Domain.Warranty;

/// <summary>How long a warranty covers a device. Dates are days of UTC.</summary>
/// <param name="StartsOn">The first day covered.</param>
/// <param name="Months">Calendar months, 0 to <see cref="MonthsMax"/>; 0 says that there is no warranty.</param>
[GenerateSerializer, Immutable, Alias("muster.warranty-term")]
public readonly record struct WarrantyTerm([property: Id(0)] DateOnly StartsOn, [property: Id(1)] int Months)
{
    /// <summary>Twenty years: longer than any vendor's warranty with all extensions.</summary>
    public const int MonthsMax = 240;

    /// <summary>Before the first device that this software can know; catches a year typed with two digits.</summary>
    public static readonly DateOnly StartMin = new(1990, 1, 1);

    /// <summary>Keeps every date of the term inside the calendar's range.</summary>
    public static readonly DateOnly StartMax = new(2200, 12, 31);

    /// <summary>No warranty.</summary>
    public static WarrantyTerm None { get; } = new(StartMin, 0);
}

/// <summary>Where a warranty is on a date.</summary>
public enum WarrantyStatus
{
    /// <summary>There is no warranty on record. Never stored.</summary>
    Unspecified = 0,

    /// <summary>The first day is still to come.</summary>
    NotStarted = 1,

    /// <summary>The device is covered.</summary>
    Active = 2,

    /// <summary>The last day is over.</summary>
    Ended = 3,
}

/// <summary>What became of the question that a warranty's end asks.</summary>
public enum WarrantyReviewState
{
    /// <summary>No review was opened.</summary>
    Unspecified = 0,

    /// <summary>An operator has to decide: keep the device or propose its decommissioning.</summary>
    Open = 1,

    /// <summary>Closed: the device is kept without a warranty, or the warranty was extended.</summary>
    Kept = 2,

    /// <summary>Closed: the device's decommissioning is proposed.</summary>
    DecommissionProposed = 3,
}
