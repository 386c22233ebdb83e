using Muster.Domain.Trust;

namespace Muster.Domain.Devices;

/// <summary>What a fact of a device means for its open connections.</summary>
public enum RevocationEffect
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>They may have lost their right: each is judged again by the device's record.</summary>
    Judge = 1,

    /// <summary>They end, whatever they are: the device is a tombstone.</summary>
    End = 2,

    /// <summary>Not of a device: an image was revoked, and what is being sent of it ends, whoever gets it.</summary>
    EndImage = 3,
}

/// <summary>Reads facts for those who hold connections.</summary>
public static class RevocationRules
{
    /// <summary>
    /// What a fact of a device's record means. Only facts that can take nothing away are passed over; one that is not named here is
    /// judged, because a question too many costs a call and one too few leaves a door open.
    /// </summary>
    public static RevocationEffect EffectOf(DomainEvent fact)
    {
        ArgumentNullException.ThrowIfNull(fact);
        return fact switch
        {
            DeviceDecommissioned => RevocationEffect.End,
            DeviceExpected or DeviceEnrolled or DeviceEdited or DeviceHelloTaken or DeviceInventoryTaken or DeviceReleased
                or DeviceAlarmChanged or DeviceRefused or TrustFindingsChanged or SuspicionDismissed
                or ComplianceChanged or EraseCommandReplaced or CommandFailed or ErasureProved
                or ChangeOffered or ChangeDelivered or ChangeProgressed or ChangeClosed or LateReportIgnored
                or ChangeRecalled or ChangeRecallRefused => RevocationEffect.None,
            _ => RevocationEffect.Judge,
        };
    }
}
