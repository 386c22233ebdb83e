using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>Why a member was left out, or given up: a closed set, so that totals have a bound.</summary>
public enum MemberReason : byte
{
    /// <summary>One that this version does not know, or that was stored before reasons were.</summary>
    Other = 0,

    DeviceNotEnrolled = 1,

    ModelNotCompatible = 2,

    TrackMismatch = 3,

    OsBelowFloor = 4,

    AlreadyRunningTarget = 5,

    OsBelowMinimum = 6,

    StepRequired = 7,

    /// <summary>The member was not reached in the time it had.</summary>
    OfferUndelivered = 8,

    /// <summary>The device did not end in the time it had.</summary>
    ChangeTimedOut = 9,

    /// <summary>On the way back: what the device ran before is not known, or may not be offered to it any more.</summary>
    NoWayBack = 10,

    /// <summary>On the way back: the device does not run what the rollout brought.</summary>
    NothingToRollBack = 11,

    /// <summary>It reported the desired settings already.</summary>
    AlreadyHasSettings = 12,

    /// <summary>A newer rollout of an OS image took the place of this one at the device.</summary>
    Superseded = 13,

    /// <summary>It runs a newer version than at the start, and the rollout has no approval to take it back.</summary>
    DowngradeNotApproved = 14,

    /// <summary>The image of its step was revoked, and its offer of it, which it had not named, was taken back.</summary>
    StepRevoked = 15,
}

/// <summary>The reasons as the names that devices and the API have for them.</summary>
public static class MemberReasons
{
    private const string OtherName = "OTHER";

    private static readonly ImmutableArray<string> Names =
    [
        OtherName, "DEVICE_NOT_ENROLLED", "MODEL_NOT_COMPATIBLE", "TRACK_MISMATCH", "OS_BELOW_FLOOR", "ALREADY_RUNNING_TARGET",
        "OS_BELOW_MINIMUM", "STEP_REQUIRED", ChangeTimers.OfferUndelivered, ChangeTimers.ChangeTimedOut,
        WayBack.NoWayBack, WayBack.NothingToRollBack,
        SettingsChanges.AlreadyHas, DeviceChanges.Superseded, RolloutErrors.DowngradeNotApprovedReason, DeviceChanges.StepRevoked,
    ];

    /// <summary>How many there are.</summary>
    public static int Count => Names.Length;

    /// <summary>A name of <c>muster.v1.ErrorReason</c>, or <c>OTHER</c>.</summary>
    public static string NameOf(MemberReason reason) => (int)reason < Names.Length ? Names[(int)reason] : OtherName;

    public static MemberReason Parse(string name)
    {
        var at = Names.IndexOf(name);
        return at < 0 ? MemberReason.Other : (MemberReason)at;
    }
}
