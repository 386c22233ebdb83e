using Muster.Domain.Identity;

namespace Muster.Domain.Trust;

/// <summary>Why a device may be there twice.</summary>
public enum SuspicionKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Another serial presented the key that this device owns.</summary>
    KeyUnderTwoSerials = 1,

    /// <summary>Hellos of one identity came back to an earlier boot three times within ten minutes.</summary>
    AlternatingBoots = 2,

    /// <summary>A connection sent something after a newer one had said hello with another boot.</summary>
    OlderConnectionAlive = 3,
}

/// <summary>What became of a suspicion. One that was dismissed is not there any more.</summary>
public enum SuspicionState
{
    /// <summary>None.</summary>
    Unspecified = 0,

    /// <summary>Reported: the rule asks for no more. The device is restricted.</summary>
    Reported = 1,

    /// <summary>The rule quarantined the device.</summary>
    Quarantined = 2,

    /// <summary>The hour's quarantines are used up: the device is restricted, and a human is asked.</summary>
    Waiting = 3,

    /// <summary>An operator confirmed it; the device is quarantined by him.</summary>
    Confirmed = 4,
}

/// <summary>The suspicion that a device's identity is used twice; the first one stays until an operator resolves it.</summary>
/// <param name="Kind">Why.</param>
/// <param name="State">What became of it.</param>
/// <param name="Since">When it was raised.</param>
/// <param name="Detail">For people, at most 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.clone-suspicion")]
public sealed record CloneSuspicion(
    [property: Id(0)] SuspicionKind Kind,
    [property: Id(1)] SuspicionState State,
    [property: Id(2)] DateTimeOffset Since,
    [property: Id(3)] string Detail)
{
    /// <summary>One line.</summary>
    public const int DetailLengthMax = 200;

    /// <summary>
    /// What was presented (<see cref="SuspectedPair"/>); null where it is about no key, and of one that is older than this member.
    /// </summary>
    [Id(164)] public Sha256Hash? Pair { get; init; }
}
