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
    /// Some partitions are through, <paramref name="after"/> is how far the next one is, and the devices of this step hold
    /// <paramref name="proposed"/> proposals that count (<see cref="Counts"/>).
    /// </summary>
    public static Decision<SupportCampaign?> Advance(
        SupportCampaign campaign, PartitionSet done, string after, long proposed, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(campaign);
        ArgumentNullException.ThrowIfNull(done);
        var total = campaign.Proposed + proposed;
        if (!done.IsFull)
        {
            return Decision.Accept<SupportCampaign?>(
                campaign with { Done = done, After = after, Proposed = total, NextSweepAt = now },
                new CampaignAdvanced(campaign.Product, campaign.Id, done.Members, total));
        }

        var next = now + SupportCampaign.SweepInterval;
        return Decision.Accept<SupportCampaign?>(
            campaign with
            {
                Done = PartitionSet.Empty(done.Count),
                After = "",
                Proposed = total,
                Sweeps = campaign.Sweeps + 1,
                NextSweepAt = next,
                SweepBeganAt = now,
            },
            new CampaignSwept(campaign.Product, campaign.Id, total, next));
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
        DeviceState.Expected or DeviceState.Decommissioning or DeviceState.Decommissioned => false,
        _ => throw new UnreachableException($"Unknown device state {state}."),
    };
}
