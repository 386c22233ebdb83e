using Muster.Domain.Devices;

namespace Muster.Domain.Decommissioning;

/// <summary>
/// Decides how the end of a device is proposed, requested and cancelled. The same command again gives the same answer;
/// approval is <see cref="DecommissionGate"/>, what follows it <see cref="ErasureRules"/>.
/// </summary>
public static class DecommissionRules
{
    /// <summary>
    /// A rule proposes. Idempotent by (device, campaign): one that was cancelled is not proposed again by the same campaign,
    /// and whatever is under way already stays as it is.
    /// </summary>
    public static Decision<Decommission?> Propose(Decommission? current, Device device, Proposal proposal, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(proposal);
        var isNews = current?.State switch
        {
            null => true,
            DecommissionState.Cancelled => !current.RefusedCampaigns.Contains(proposal.Campaign),
            DecommissionState.Proposed or DecommissionState.Requested or DecommissionState.Erasing or DecommissionState.Completed => false,
            _ => throw new UnreachableException($"Unknown state {current.State}."),
        };
        if (!isNews)
        {
            return Decision.Unchanged(current);
        }

        return Check(device) is { } error
            ? Decision.Refuse(current, error)
            : Decision.Accept<Decommission?>(
                Begin(current, device, DecommissionState.Proposed, now) with
                {
                    Cause = proposal.Cause,
                    Campaign = proposal.Campaign,
                    ProposedAt = now,
                },
                new DecommissionProposed(device.Id, proposal.Cause, proposal.Campaign));
    }

    /// <summary>An operator asks for it, with or without a proposal before.</summary>
    public static Decision<Decommission?> Request(Decommission? current, Device device, Actor requester, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        switch (current?.State)
        {
            case DecommissionState.Requested or DecommissionState.Erasing or DecommissionState.Completed:
                return current.Requester == requester
                    ? Decision.Unchanged<Decommission?>(current)
                    : Decision.Refuse<Decommission?>(current, DecommissionErrors.WrongState(current, "requested"));
            case null or DecommissionState.Proposed or DecommissionState.Cancelled:
                break;
            default:
                throw new UnreachableException($"Unknown state {current.State}.");
        }

        if (Check(device) is { } error)
        {
            return Decision.Refuse(current, error);
        }

        var requested = current is { State: DecommissionState.Proposed }
            ? current with { State = DecommissionState.Requested, StateChangedAt = now }
            : Begin(current, device, DecommissionState.Requested, now);
        return Decision.Accept<Decommission?>(
            requested with { Requester = requester, RequestedAt = now },
            new DecommissionRequested(device.Id, requested.Cause, requester));
    }

    /// <summary>An operator closes what is not approved yet. Its campaign proposes nothing here again.</summary>
    public static Decision<Decommission> Cancel(Decommission current, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        return current.State switch
        {
            DecommissionState.Cancelled => Decision.Unchanged(current),
            DecommissionState.Proposed or DecommissionState.Requested => Decision.Accept(
                current with
                {
                    State = DecommissionState.Cancelled,
                    StateChangedAt = now,
                    RefusedCampaigns = Remember(current.RefusedCampaigns, current.Campaign),
                },
                new DecommissionCancelled(current.Device, current.Campaign)),
            DecommissionState.Erasing or DecommissionState.Completed =>
                Decision.Refuse(current, DecommissionErrors.WrongState(current, "cancelled")),
            _ => throw new UnreachableException($"Unknown state {current.State}."),
        };
    }

    /// <summary>May the end of this device be asked for? Null when it may.</summary>
    private static FleetError? Check(Device device) => device.State switch
    {
        DeviceState.Decommissioned => DecommissionErrors.AlreadyTombstone(device.Id),
        DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Returned
            or DeviceState.Decommissioning or DeviceState.Withdrawn =>
            device.Identity is null ? DecommissionErrors.NotEnrolled(device.Id) : null,
        _ => throw new UnreachableException($"Device '{device.Id}' has unknown state {device.State}."),
    };

    /// <summary>A new life of the record; only the campaigns that were said no to are kept from the one before.</summary>
    private static Decommission Begin(Decommission? current, Device device, DecommissionState state, DateTimeOffset now) => new()
    {
        Tenant = device.Tenant,
        Device = device.Id,
        State = state,
        StateChangedAt = now,
        Cause = DecommissionCause.Operator,
        Campaign = "",
        RefusedCampaigns = current?.RefusedCampaigns ?? [],
    };

    private static ImmutableArray<string> Remember(ImmutableArray<string> refused, string campaign)
    {
        if (campaign.Length == 0 || refused.Contains(campaign))
        {
            return refused;
        }

        var all = refused.Add(campaign);
        return all.Length > Decommission.RefusedCampaignsMax ? all.RemoveAt(0) : all;
    }
}

/// <summary>What a rule proposes with.</summary>
/// <param name="Cause">Never <see cref="DecommissionCause.Operator"/>: operators request.</param>
/// <param name="Campaign">The campaign or review; 1 to 100 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.decommission-proposal")]
public sealed record Proposal([property: Id(0)] DecommissionCause Cause, [property: Id(1)] string Campaign);
