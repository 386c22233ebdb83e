namespace Muster.Domain.Devices;

/// <summary>
/// What is known of the way of an offer from the device's record to a connection (rollouts.md 8): whether a message that carries it may
/// have left. Volatile: who has none knows nothing, and takes every offer for handed over.
/// </summary>
/// <param name="Generation">The desired generation that carries the offer.</param>
/// <param name="OfferedAt">When the offer was committed.</param>
public sealed record OfferHandover(long Generation, DateTimeOffset OfferedAt)
{
    /// <summary>Why an offer was taken back: no message of it was handed to a connection.</summary>
    public const string Reason = "OFFER_NOT_HANDED_OVER";

    /// <summary>
    /// Why such an offer was taken back at once, or another one given up by its device: its rollout is cancelled (rollouts.md 21).
    /// </summary>
    public const string CancelledReason = "ROLLOUT_CANCELLED";

    /// <summary>So long an offer may look for a connection; its device had a session when it was made (rollouts.md 8).</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);

    /// <summary>The rank of its rollout; null for one of which it is not known.</summary>
    public ChangeRank? Rank { get; init; }

    /// <summary>How often a message with it was sent on its way.</summary>
    public int Sent { get; private init; }

    /// <summary>How many of those found no connection, each of them before the next was sent.</summary>
    public int Returned { get; private init; }

    /// <summary>A message that nobody has returned is taken for one that left.</summary>
    public bool MayHaveLeft => Sent > Returned;

    public DateTimeOffset DueAt => OfferedAt + WaitMax;

    /// <summary>The offer that was just committed; null when the change in progress is none of which everything is known.</summary>
    public static OfferHandover? Of(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Change is { DeliveredAt: null } change ? new OfferHandover(change.Generation, change.OfferedAt) : null;
    }

    /// <summary>Another message goes on its way; behind one of which nothing is known nothing can be known any more.</summary>
    public OfferHandover Send() => this with { Sent = Sent + 1 };

    /// <summary>The message of this number, counted from 1, found no connection.</summary>
    public OfferHandover Return(int sent) => sent == Sent && sent == Returned + 1 ? this with { Returned = sent } : this;

    /// <summary>Whether it is certain that the device was told nothing of this offer.</summary>
    public bool IsSurelyHere(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return !MayHaveLeft && device.Change is { DeliveredAt: null } change && change.Generation == Generation;
    }
}
