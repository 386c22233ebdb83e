using Muster.Domain.Devices;
using Muster.Domain.Operators;

namespace Muster.Domain.Decommissioning;

/// <summary>
/// The four-eyes gate before an erasure: an operator with the role approver, and never the one who requested it.
/// </summary>
public static class DecommissionGate
{
    /// <summary>
    /// Approves with the command that the device will get. A stalled erasure may be approved anew, by the same rules.
    /// </summary>
    public static Decision<Decommission> Approve(
        Decommission current, Actor approver, ImmutableArray<OperatorRole> roles, DeviceCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(command);
        if (!roles.Contains(OperatorRole.Approver))
        {
            return Decision.Refuse(current, DecommissionErrors.ApproverRoleMissing(current.Device, approver.Name));
        }

        // A program that runs under the requester's name is the requester: names are compared, not kinds.
        if (current.Requester is { } requester && requester.Name == approver.Name)
        {
            return Decision.Refuse(current, DecommissionErrors.ApproverIsRequester(current.Device, approver.Name));
        }

        return current.State switch
        {
            DecommissionState.Requested => Accept(current, approver, roles, command, now),
            DecommissionState.Erasing when current.Erasure is { StalledReason.Length: > 0 } =>
                Accept(current, approver, roles, command, now),
            DecommissionState.Erasing or DecommissionState.Completed when current.Approver == approver => Decision.Unchanged(current),
            DecommissionState.Proposed or DecommissionState.Cancelled or DecommissionState.Erasing or DecommissionState.Completed =>
                Decision.Refuse(current, DecommissionErrors.WrongState(current, "approved")),
            _ => throw new UnreachableException($"Unknown state {current.State}."),
        };
    }

    private static Decision<Decommission> Accept(
        Decommission current, Actor approver, ImmutableArray<OperatorRole> roles, DeviceCommand command, DateTimeOffset now) =>
        current.Requester is not { } requester
            ? throw new UnreachableException($"The decommission of '{current.Device}' is {current.State} without a requester.")
            : Decision.Accept(
                current with
                {
                    State = DecommissionState.Erasing,
                    StateChangedAt = current.State == DecommissionState.Erasing ? current.StateChangedAt : now,
                    Approver = approver,
                    ApproverRoles = roles,
                    ApprovedAt = now,
                    Erasure = ErasureRules.Begin(command, now),
                },
                new DecommissionApproved(current.Device, requester, approver, roles, command.Nonce));
}
