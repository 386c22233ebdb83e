using Muster.Domain.Devices;

namespace Muster.Domain.Warranty;

/// <summary>Decides about a warranty. It never decommissions anything: it tells the end and asks a human.</summary>
public static class WarrantyRules
{
    /// <summary>No creation takes longer between its term and its device: both are commits, and each is answered within 15 s.</summary>
    public static readonly TimeSpan CreationMax = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Sets the term. An open review of an end that is not over any more is closed as kept; one that is already decided stays.
    /// </summary>
    public static Decision<WarrantyCover> Set(WarrantyCover cover, WarrantyTerm term, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cover);
        if (CheckTerm(term) is { } invalid)
        {
            return Decision.Refuse(cover, invalid);
        }

        if (cover.Term == term)
        {
            return Decision.Unchanged(cover);
        }

        var set = new WarrantySet(cover.Device, term, WarrantyClock.LastDay(term));
        var next = cover with { Term = term, ExpectedBy = "", ExpectedAt = null };
        var over = WarrantyClock.StatusOn(term, WarrantyClock.DayOf(now)) == WarrantyStatus.Ended;
        return cover.Review == WarrantyReviewState.Open && !over
            ? Decision.Accept(
                next with { Review = WarrantyReviewState.Kept, ReviewChangedAt = now },
                set,
                new WarrantyReviewClosed(cover.Device, WarrantyReviewState.Kept))
            : Decision.Accept(next, set);
    }

    /// <summary>
    /// Takes the term that a device is created with, before and after the device itself. A term that an operator set stays, and so does
    /// the one of the creation that the device came from (<paramref name="createdBy"/>; null before there is a device). The same request
    /// id with another term is refused.
    /// </summary>
    public static Decision<WarrantyCover> Expect(
        WarrantyCover cover, WarrantyTerm term, string requestId, string? createdBy, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cover);
        ArgumentException.ThrowIfNullOrEmpty(requestId);
        if (CheckTerm(term) is { } invalid)
        {
            return Decision.Refuse(cover, invalid);
        }

        var isNew = cover == WarrantyCover.Empty(cover.Tenant, cover.Device);
        var isForeign = createdBy is not null && createdBy != requestId;
        if (isForeign || (cover.ExpectedBy.Length == 0 && !isNew))
        {
            return Decision.Unchanged(cover);
        }

        // What a creation brings is there before its device: a device without a term was created without one.
        if (cover.ExpectedBy == requestId || (isNew && (createdBy is not null || term == WarrantyTerm.None)))
        {
            return cover.Term == term ? Decision.Unchanged(cover) : Decision.Refuse(cover, RequestErrors.IdReused(requestId));
        }

        return Decision.Accept(
            cover with { Term = term, ExpectedBy = requestId, ExpectedAt = now },
            new WarrantySet(cover.Device, term, WarrantyClock.LastDay(term)));
    }

    /// <summary>
    /// The term is over and there is no device. Its creation may be under way; after <see cref="CreationMax"/> it was cut off, and the
    /// term is forgotten: should the creation be repeated, it brings its term again.
    /// </summary>
    public static Decision<WarrantyCover> Withdraw(WarrantyCover cover, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cover);
        return cover.ExpectedAt is { } expectedAt && now >= expectedAt + CreationMax
            ? Decision.Accept(
                WarrantyCover.Empty(cover.Tenant, cover.Device), new WarrantySet(cover.Device, WarrantyTerm.None, LastDay: null))
            : Decision.Unchanged(cover);
    }

    /// <summary>
    /// The clock moved. When the last day is over and was not told yet, tells it and opens a review, unless the device is at
    /// its end already: then there is nothing to ask.
    /// </summary>
    public static Decision<WarrantyCover> Look(WarrantyCover cover, DeviceState device, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cover);
        if (WarrantyClock.LastDay(cover.Term) is not { } last || cover.EndedOn == last
            || WarrantyClock.StatusOn(cover.Term, WarrantyClock.DayOf(now)) != WarrantyStatus.Ended)
        {
            return Decision.Unchanged(cover);
        }

        var next = cover with { EndedOn = last };
        var ended = new WarrantyEnded(cover.Device, last);
        return device is DeviceState.Decommissioning or DeviceState.Decommissioned or DeviceState.Withdrawn
            ? Decision.Accept(next, ended)
            : Decision.Accept(
                next with { Review = WarrantyReviewState.Open, ReviewChangedAt = now },
                ended,
                new WarrantyReviewOpened(cover.Device, last));
    }

    /// <summary>An operator decides. The same decision again is not an error.</summary>
    public static Decision<WarrantyCover> CloseReview(WarrantyCover cover, bool proposeDecommission, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cover);
        var closed = proposeDecommission ? WarrantyReviewState.DecommissionProposed : WarrantyReviewState.Kept;
        return cover.Review switch
        {
            WarrantyReviewState.Open => Decision.Accept(
                cover with
                {
                    Review = closed,
                    ReviewChangedAt = now,
                    ProposalPending = proposeDecommission,
                    ProposalDueAt = proposeDecommission ? now : null,
                },
                new WarrantyReviewClosed(cover.Device, closed)),
            WarrantyReviewState.Kept or WarrantyReviewState.DecommissionProposed when cover.Review == closed => Decision.Unchanged(cover),
            WarrantyReviewState.Unspecified or WarrantyReviewState.Kept or WarrantyReviewState.DecommissionProposed =>
                Decision.Refuse(cover, WarrantyErrors.ReviewNotOpen(cover.Device, cover.Review)),
            _ => throw new UnreachableException($"Unknown review state {cover.Review}."),
        };
    }

    /// <summary>The decommissioning answered the proposal; a refusal's reason is kept in the fact.</summary>
    public static Decision<WarrantyCover> HandOn(WarrantyCover cover, FleetError? refusal)
    {
        ArgumentNullException.ThrowIfNull(cover);
        return cover.ProposalPending
            ? Decision.Accept(
                cover with { ProposalPending = false, ProposalDueAt = null },
                new WarrantyProposalHandedOn(cover.Device, cover.Campaign, refusal?.Reason ?? ""))
            : Decision.Unchanged(cover);
    }

    private static FleetError? CheckTerm(WarrantyTerm term) => term switch
    {
        { Months: < 0 or > WarrantyTerm.MonthsMax } => WarrantyErrors.MonthsOutOfRange(term.Months),
        _ when term.StartsOn < WarrantyTerm.StartMin || term.StartsOn > WarrantyTerm.StartMax =>
            WarrantyErrors.StartOutOfRange(term.StartsOn),
        _ => null,
    };
}
