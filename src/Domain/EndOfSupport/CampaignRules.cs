using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;

namespace Muster.Domain.EndOfSupport;

/// <summary>Decides how a campaign opens, advances and closes.</summary>
public static class CampaignRules
{
    /// <summary>
    /// Opens a campaign, closing the one of an earlier date in the same step; the same campaign again changes nothing, and one
    /// that was closed opens again with what it has done.
    /// </summary>
    public static Decision<SupportCampaign?> Open(SupportCampaign? current, SupportCampaign opened)
    {
        ArgumentNullException.ThrowIfNull(opened);
        var fact = new CampaignOpened(opened.Product, opened.Id, opened.EndsAt);
        if (current?.Id == opened.Id)
        {
            return current.ClosedAt is null
                ? Decision.Unchanged<SupportCampaign?>(current)
                : Decision.Accept<SupportCampaign?>(current with { ClosedAt = null, NextSweepAt = opened.OpenedAt }, fact);
        }

        return current is { ClosedAt: null }
            ? Decision.Accept<SupportCampaign?>(opened, new CampaignClosed(current.Product, current.Id), fact)
            : Decision.Accept<SupportCampaign?>(opened, fact);
    }

    /// <summary>Closes whatever is open; nothing open is not an error.</summary>
    public static Decision<SupportCampaign?> Close(SupportCampaign? current, DateTimeOffset now) =>
        current is { ClosedAt: null }
            ? Decision.Accept<SupportCampaign?>(current with { ClosedAt = now }, new CampaignClosed(current.Product, current.Id))
            : Decision.Unchanged(current);

    /// <summary>
    /// A step is done; what it counted are proposals that count (<see cref="Counts"/>). A sweep that missed devices is repeated soon,
    /// one that found all after a day.
    /// </summary>
    public static Decision<SupportCampaign?> Advance(SupportCampaign campaign, SweepStep step, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(campaign);
        ArgumentNullException.ThrowIfNull(step);
        var total = campaign.Proposed + step.Counted;
        var missed = campaign.Missed + step.Missed;
        if (!step.Done.IsFull)
        {
            return Decision.Accept<SupportCampaign?>(
                campaign with { Done = step.Done, After = step.After, Proposed = total, Missed = missed, NextSweepAt = now },
                new CampaignAdvanced(campaign.Product, campaign.Id, step.Done.Members, total));
        }

        var next = now + (missed > 0 ? SweepStep.RepeatInterval : SupportCampaign.SweepInterval);
        return Decision.Accept<SupportCampaign?>(
            campaign with
            {
                Done = PartitionSet.Empty(step.Done.Count),
                After = "",
                Proposed = total,
                Sweeps = campaign.Sweeps + 1,
                Missed = 0,
                NextSweepAt = next,
                SweepBeganAt = now,
            },
            new CampaignSwept(campaign.Product, campaign.Id, total, next) { Missed = missed });
    }

    /// <summary>Did this sweep of this campaign propose it?</summary>
    public static bool Counts(SupportCampaign campaign, Decommission? decommission)
    {
        ArgumentNullException.ThrowIfNull(campaign);
        return decommission?.Campaign == campaign.Id && decommission.ProposedAt > campaign.SweepBeganAt;
    }

    /// <summary>When the campaign goes on; null when it is closed.</summary>
    public static DateTimeOffset? NextDueAt(SupportCampaign? campaign) => campaign is { ClosedAt: null } ? campaign.NextSweepAt : null;

    /// <summary>
    /// Is a device in this state proposed? One that never proved itself holds nothing to erase and is covered by a later sweep
    /// once it enrolled; one at its end needs no proposal.
    /// </summary>
    public static bool Covers(DeviceState state) => state switch
    {
        DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Returned => true,
        DeviceState.Expected or DeviceState.Decommissioning or DeviceState.Decommissioned or DeviceState.Withdrawn => false,
        _ => throw new UnreachableException($"Unknown device state {state}."),
    };
}
