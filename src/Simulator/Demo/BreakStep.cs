using Muster.Simulator.Devices;

namespace Muster.Simulator.Demo;

/// <summary>
/// The checks that a broken step has to fail, and the steps that can be broken: each makes exactly one thing wrong in the simulated
/// world, so that the verification has to catch it.
/// </summary>
internal static class BreakStep
{
    public const string UnsignedImage = "unsigned-image";
    public const string LyingDigest = "lying-digest";
    public const string UnprovenErasure = "unproven-erasure";
    public const string TombstoneLetIn = "tombstone-let-in";
    public const string DuplicateInstall = "duplicate-install";
    public const string LyingSettings = "lying-settings";

    public static IReadOnlyList<string> All { get; } =
        [UnsignedImage, LyingDigest, UnprovenErasure, TombstoneLetIn, DuplicateInstall, LyingSettings];

    /// <summary>What the fleet's first device does wrong; an unsigned image is the operator's fault.</summary>
    public static DeviceFault FaultOf(string? step) => step switch
    {
        null or UnsignedImage => DeviceFault.None,
        LyingDigest => DeviceFault.LyingDigest,
        UnprovenErasure => DeviceFault.UnprovenErasure,
        TombstoneLetIn => DeviceFault.TombstoneLetIn,
        DuplicateInstall => DeviceFault.DuplicateInstall,
        LyingSettings => DeviceFault.LyingSettings,
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "Unknown step."),
    };
}
