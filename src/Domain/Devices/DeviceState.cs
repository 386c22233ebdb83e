namespace Muster.Domain.Devices;

/// <summary>Where a device is in its life. Support status and compliance are facts beside it, not states of it.</summary>
public enum DeviceState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>On a delivery list; it has not proved itself yet.</summary>
    Expected = 1,

    /// <summary>It proved its identity and passed the enrolment checks; the approval is outstanding.</summary>
    Enrolling = 2,

    /// <summary>Trusted and at work.</summary>
    InService = 3,

    /// <summary>Set apart by an operator or a rule; it gets no rollouts.</summary>
    Quarantined = 4,

    /// <summary>Being erased; ends only with the proof of erasure.</summary>
    Decommissioning = 5,

    /// <summary>Terminal: a tombstone. Serial, certificate and key are refused on every road.</summary>
    Decommissioned = 6,

    /// <summary>At the vendor (RMA).</summary>
    Returned = 7,

    /// <summary>Expected no longer, because it never should have been; a list may expect it anew.</summary>
    Withdrawn = 8,
}
