namespace Muster.Domain.EndOfSupport;

/// <summary>
/// The campaign of a product whose support ended: every partition proposes the decommissioning of its devices. Progress is
/// in the record, so a crash repeats at most the last step, and proposing is idempotent by (device, campaign).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.support-campaign")]
public sealed record SupportCampaign
{
    /// <summary>
    /// Devices that enrol later, or come back from a vendor, are covered by a new sweep a day after the last: soon enough for
    /// a product that is out of support for years, and one look per device and day is no load.
    /// </summary>
    public static readonly TimeSpan SweepInterval = TimeSpan.FromDays(1);

    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ProductId Product { get; init; }

    /// <summary>The campaign's name (<see cref="EndOfSupport.Product.CampaignOf"/>).</summary>
    [Id(2)] public required string Id { get; init; }

    [Id(3)] public required DateTimeOffset EndsAt { get; init; }

    [Id(4)] public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>One bit per partition of the installation, set when it proposed for all its devices in this sweep.</summary>
    [Id(5)] public required PartitionSet Done { get; init; }

    /// <summary>The name after which the first partition that is not done goes on; empty at its beginning.</summary>
    [Id(6)] public string After { get; init; } = "";

    /// <summary>Devices whose decommissioning this campaign proposed.</summary>
    [Id(7)] public long Proposed { get; init; }

    /// <summary>Sweeps that came through all partitions, also those that missed devices.</summary>
    [Id(8)] public int Sweeps { get; init; }

    /// <summary>When the campaign goes on.</summary>
    [Id(9)] public required DateTimeOffset NextSweepAt { get; init; }

    /// <summary>When it was closed because the date moved; null while it is open.</summary>
    [Id(10)] public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>
    /// Proposals made since then count for this sweep: a step that is repeated after a crash counts the same devices, and a
    /// later sweep counts only what it added.
    /// </summary>
    [Id(11)] public DateTimeOffset SweepBeganAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>Devices that the running sweep could not ask.</summary>
    [Id(12)] public long Missed { get; init; }
}
