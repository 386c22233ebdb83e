namespace Muster.Domain.Devices;

/// <summary>
/// The reasons that another attempt with the same change alters nothing about (rollouts.md 10). A closed set: a device's own words that are
/// not in it are tried again.
/// </summary>
public static class FinalReasons
{
    /// <summary>Names of <c>muster.v1.ErrorReason</c>, as a report's reason has them.</summary>
    public static ImmutableArray<string> All { get; } =
    [
        // What the image is: it has no other signature tomorrow.
        "IMAGE_SIGNATURE_INVALID",
        "IMAGE_UNSIGNED",
        "IMAGE_CERTIFICATE_UNTRUSTED",
        "IMAGE_CERTIFICATE_USAGE",
        "IMAGE_REVOKED",

        // What the device is, and what it may run.
        "MODEL_NOT_COMPATIBLE",
        "OS_BELOW_FLOOR",
        "OS_BELOW_MINIMUM",
        "STEP_REQUIRED",

        // What the device has no such setting for, or no such value.
        "SETTING_REFUSED",

        // The member was waited for as long as the operator said: an attempt that reaches nobody is none.
        ChangeTimers.OfferUndelivered,
    ];

    /// <summary>True when another attempt may end otherwise.</summary>
    public static bool MayRetry(ChangeOutcome outcome, string reason) =>
        outcome is ChangeOutcome.Failed or ChangeOutcome.TimedOut or ChangeOutcome.Rejected && !All.Contains(reason);
}
