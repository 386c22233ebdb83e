namespace Muster.Domain.Decommissioning;

/// <summary>Where the end of a device is.</summary>
public enum DecommissionState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>A rule suggests it; an operator has to request it or cancel it.</summary>
    Proposed = 1,

    /// <summary>An operator asked for it; another one with the role approver has to approve it.</summary>
    Requested = 2,

    /// <summary>Approved: the device is told to erase itself until it proves that it did.</summary>
    Erasing = 3,

    /// <summary>Terminal: the proof is verified and kept, the device is a tombstone.</summary>
    Completed = 4,

    /// <summary>An operator said no; another campaign or an operator may begin anew.</summary>
    Cancelled = 5,
}

/// <summary>Why a device shall end.</summary>
public enum DecommissionCause
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The campaign of a product whose support ended.</summary>
    EndOfSupport = 1,

    /// <summary>The review that the end of a warranty opened.</summary>
    WarrantyReview = 2,

    /// <summary>An operator's own decision.</summary>
    Operator = 3,
}
