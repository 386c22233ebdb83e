namespace Muster.Domain.Devices;

/// <summary>A newer OS image takes the place of an older one that nobody was told of (rollouts.md 7).</summary>
public static partial class DeviceChanges
{
    /// <summary>Why a device is left out: a newer rollout of an OS image took the place of this one.</summary>
    public const string Superseded = "SUPERSEDED";

    /// <summary>
    /// As <see cref="Offer(Device, ChangeOffer, bool, DateTimeOffset)"/>; where an older offer is that surely nobody was told of, a newer
    /// one that says so closes it and takes its place, in one decision.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="offer">What is offered.</param>
    /// <param name="current">What is known of the way of the offer that the device has; null when nothing is.</param>
    /// <param name="hasSession">Whether the device can be told.</param>
    /// <param name="now">The time of the decision.</param>
    public static OfferDecision Offer(Device device, ChangeOffer offer, OfferHandover? current, bool hasSession, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        if (!hasSession || offer.Kind != ChangeKind.OsImage || !MaySupersede(device, offer.Rollout, offer.Rank, current)
            || FindAnswer(device, offer) is not null || FindObstacle(device, offer) is not null)
        {
            return Offer(device, offer, hasSession, now);
        }

        var (free, fact) = Close(device, device.Change!, ChangeOutcome.Skipped, Superseded, now);
        var made = Make(free, offer, hasSession, now);
        return made with { Events = [fact, .. made.Events] };
    }

    private static bool MaySupersede(Device device, ResourceId rollout, ChangeRank? newer, OfferHandover? current) =>
        newer is { } rank
        && current?.Rank is { } older
        && rank.Supersedes(older)
        && current.IsSurelyHere(device)
        && device.Change is { Kind: ChangeKind.OsImage } change
        && change.Rollout != rollout
        && !WayBack.Is(change.Retry);

    /// <summary>
    /// A newer rollout that supersedes older ones has been here: an older image must not come after it, of whatever priority.
    /// </summary>
    private static bool IsSuperseded(Device device, ChangeOffer offer) =>
        offer.Rank is { } rank
        && rank.StartedAt.UtcTicks is var startedAt
        && (device.Change?.SupersedesBefore > startedAt
            || IsBySuccessor(device.LastChange, startedAt)
            || device.EarlierChanges.Any(change => IsBySuccessor(change, startedAt)));

    /// <summary>One that was taken back was not there, unless its rollout took a step before it.</summary>
    private static bool IsBySuccessor(ClosedChange? change, long startedAt) =>
        change is not null && (!ClosedChanges.WasTakenBack(change) || change.HasStepped) && change.SupersedesBefore > startedAt;
}
