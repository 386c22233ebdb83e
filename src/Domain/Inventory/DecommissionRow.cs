using Muster.Domain.Decommissioning;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a decommission; the evidence is only in the record.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-row")]
public sealed record DecommissionRow : InventoryRow
{
    [Id(0)] public required DecommissionState State { get; init; }

    [Id(1)] public required DecommissionCause Cause { get; init; }

    [Id(2)] public required string Campaign { get; init; }

    /// <summary>Names of operators; empty before they acted.</summary>
    [Id(3)] public required string Requester { get; init; }

    [Id(4)] public required string Approver { get; init; }

    [Id(5)] public DateTimeOffset? ProposedAt { get; init; }

    [Id(6)] public DateTimeOffset? RequestedAt { get; init; }

    [Id(7)] public DateTimeOffset? ApprovedAt { get; init; }

    [Id(8)] public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Why the erasure cannot go on by itself; empty while it can.</summary>
    [Id(9)] public required string StalledReason { get; init; }

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)State),
        "cause" => FieldValue.Of((long)Cause),
        "campaign" => FieldValue.Of(Campaign),
        "requested_at" => FieldValue.Of(RequestedAt),
        "completed_at" => FieldValue.Of(CompletedAt),
        _ => FieldValue.None,
    };

    /// <summary>The row of a decommission as it is.</summary>
    public static DecommissionRow Of(Decommission decommission)
    {
        ArgumentNullException.ThrowIfNull(decommission);
        return new DecommissionRow
        {
            Tenant = decommission.Tenant,
            Name = decommission.Device.Value,
            State = decommission.State,
            Cause = decommission.Cause,
            Campaign = decommission.Campaign,
            Requester = decommission.Requester?.Name ?? "",
            Approver = decommission.Approver?.Name ?? "",
            ProposedAt = decommission.ProposedAt,
            RequestedAt = decommission.RequestedAt,
            ApprovedAt = decommission.ApprovedAt,
            CompletedAt = decommission.CompletedAt,
            StalledReason = decommission.Erasure?.StalledReason ?? "",
        };
    }
}
