using Muster.Domain.Images;

namespace Muster.Domain.Devices;

/// <summary>The image of the next step of a device's path, as the catalogue has it now.</summary>
/// <param name="Target">What the device is told.</param>
/// <param name="Track">Its track.</param>
/// <param name="Conditions">What it asks of the device.</param>
public sealed record StepOffer(OsTarget Target, string Track, ImageConditions Conditions);

/// <summary>
/// The path of a device to an image that asks for other versions first (rollouts.md 23): each step is a change of its own, with its own
/// generation, and the device goes on within the same attempt when it runs the step's image.
/// </summary>
public static class StepPath
{
    /// <summary>
    /// The image of the step that the device has to take now; null when the offered image itself is for it, when it is for neither, and
    /// when it has taken as many steps in this attempt as there are: its versions are not what the catalogue calls them.
    /// </summary>
    public static StepImage? Find(Device device, ChangeOffer offer)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        return offer.Path.IsDefaultOrEmpty || WayBack.Is(offer.Retry) || StepsTaken(device, offer) >= offer.Conditions.Steps.Length
            ? null
            : offer.Needs.FindStep(SituationOf(device));
    }

    /// <summary>What of the device matters to an image.</summary>
    internal static ImageSituation SituationOf(Device device) =>
        new(device.Model, device.Track, device.OsFloor, device.Os?.ImageDigest ?? "", device.Os?.Version ?? "");

    /// <summary>The step that is to be offered: the one that the device has to take, as far as the catalogue has it.</summary>
    internal static StepOffer? OfferedStep(Device device, ChangeOffer offer) =>
        offer.Step is { } step && Find(device, offer)?.Digest == step.Target.Digest ? step : null;

    /// <summary>How many steps the device took in the attempt that is offered, also when an offer went back since.</summary>
    internal static int StepsTaken(Device device, ChangeOffer offer) =>
        DeviceChanges.LastOf(device, offer.Rollout) is { } last && last.Retry == offer.Retry ? last.StepsTaken : 0;

    /// <summary>How many offers of the attempt come behind this one: the steps that are left, and the image itself.</summary>
    internal static int StepsLeft(Device device, ChangeOffer offer) =>
        offer.Conditions.Steps.Length - offer.Conditions.StepsPassed(device.Os?.Version ?? "");

    /// <summary>
    /// What the device runs is the image of a step, and no other rollout has brought it since: as rollouts of the steps' images do.
    /// </summary>
    internal static bool IsStepOf(Device device, ResourceId rollout, ImmutableArray<StepImage> path, string running) =>
        !path.IsDefaultOrEmpty
        && path.Any(step => step.Digest == running)
        && !ClosedChanges.IsOfAnother(device, rollout, running);

    /// <summary>What the device ran before the first step of the rollout: the way back from any of them leads there.</summary>
    internal static string PreviousOf(Device device, ChangeOffer offer)
    {
        var running = device.Os?.ImageDigest ?? "";
        return IsStepOf(device, offer.Rollout, offer.Path, running)
            && DeviceChanges.LastOf(device, offer.Rollout) is { PreviousDigest.Length: > 0 } last
            && !WayBack.Is(last.Retry)
                ? last.PreviousDigest
                : running;
    }
}
