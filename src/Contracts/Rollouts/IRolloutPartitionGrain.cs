using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Rollouts;

/// <summary>
/// A rollout's share in one partition, called by the coordinator only: knows the members, makes the offers and reports
/// totals. It makes no choice but the order of its members. Key: <c>tenant/rollout/partition</c>.
/// </summary>
[GrainInterfaceType("muster.rollout-partition"), Alias("muster.IRolloutPartitionGrain"), Version(1)]
public interface IRolloutPartitionGrain : IGrainWithStringKey
{
    /// <summary>Counts the devices that match now; stores nothing. Asked by coordinators of earlier versions.</summary>
    [Alias("Count")]
    Task<int> CountAsync(string filter);

    /// <summary>Stores the devices in service that match now, in their order. The same freeze again gives the same answer.</summary>
    [Alias("Freeze")]
    Task<MemberHistogram> FreezeAsync(FreezeMembers command);

    /// <summary>
    /// The exact places of the members in one bucket. Asked by coordinators of earlier versions, and where waves have neither filters nor
    /// strata, so that such rollouts start on silos of either version.
    /// </summary>
    [Alias("GetBucket")]
    Task<ImmutableArray<MemberPoint>> GetBucketAsync(int bucket);

    /// <summary>
    /// What a freeze would find now, and stores nothing. The members are kept in memory for <see cref="GetPlacesAsync"/>, until
    /// <see cref="ForgetAsync"/> or the next preview.
    /// </summary>
    [Alias("Preview")]
    Task<MemberHistogram> PreviewAsync(FreezeMembers command);

    /// <summary>The exact places of those members of a freeze, or of a preview, that are asked for.</summary>
    [Alias("GetPlaces")]
    Task<ImmutableArray<MemberPoint>> GetPlacesAsync(Guid freeze, ImmutableArray<PlaceQuery> queries);

    /// <summary>Lets the members of a preview go.</summary>
    [Alias("Forget")]
    Task ForgetAsync(Guid preview);

    /// <summary>Counts who would be frozen of the rest of another rollout, by the images that they run; stores nothing.</summary>
    [Alias("CountRest"), ResponseTimeout(CallTimeouts.Commit)]
    Task<RestCount> CountRestAsync(FreezeMembers command);

    /// <summary>
    /// The members that did not succeed in a rollout that has ended, page by page; asked by the share of the rollout that retries them.
    /// Interleaves: it reads only.
    /// </summary>
    [Alias("ListRest"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Commit)]
    Task<RestPage> ListRestAsync(ListRest query);

    /// <summary>Stores how the members ended: the last thing that its coordinator asks for. Again it changes nothing.</summary>
    [Alias("Settle"), ResponseTimeout(CallTimeouts.Commit)]
    Task SettleAsync(SettleShare command);

    /// <summary>Takes in the feed, makes the offers that the grant allows and that it has not made, and reports the totals.</summary>
    [Alias("Advance"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ShareReport> AdvanceAsync(AdvanceShare command);

    /// <summary>
    /// Those of the members that need no seat of their groups any more: what was to offer them something and has not will not. Committed
    /// before it is answered, so that no other activation can still do so.
    /// </summary>
    [Alias("ListUnseated"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ImmutableArray<int>> ListUnseatedAsync(ListUnseated query);

    /// <summary>
    /// What is known of one device and the rollout. Interleaves: it reads what the last step left and changes nothing, so that a question
    /// does not wait for a round of offers.
    /// </summary>
    [Alias("Sight"), AlwaysInterleave, ResponseTimeout(CallTimeouts.Commit)]
    Task<MemberSighting> SightAsync(SightMember command);
}

/// <summary>Asks about one device of the partition.</summary>
[GenerateSerializer, Immutable, Alias("muster.sight-member")]
public sealed record SightMember
{
    [Id(0)] public required DeviceId Device { get; init; }

    /// <summary>The rollout's filter.</summary>
    [Id(1)] public required string Filter { get; init; }

    /// <summary>The freeze that the plan was cut from; empty before the start.</summary>
    [Id(2)] public required Guid Freeze { get; init; }

    [Id(3)] public required ImmutableArray<WaveCut> Cuts { get; init; }

    /// <summary>When each wave opened, null before.</summary>
    [Id(4)] public required ImmutableArray<DateTimeOffset?> OpenedAt { get; init; }

    /// <summary>Null before the start, and for settings.</summary>
    [Id(5)] public required RolloutImage? Image { get; init; }

    [Id(6)] public required bool AllowTrackChange { get; init; }

    [Id(7)] public required long Epoch { get; init; }

    /// <summary>Null for an image.</summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>Null before the start.</summary>
    [Id(110)] public ChangeRank? Rank { get; init; }

    /// <summary>Of the spec.</summary>
    [Id(125)] public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>As of an offer.</summary>
    [Id(182)] public bool KeepsNewer { get; init; }
}

/// <summary>Freezes the members of a partition.</summary>
/// <param name="Freeze">The start that it belongs to.</param>
/// <param name="Filter">Which devices.</param>
/// <param name="Seed">The key of the order.</param>
[GenerateSerializer, Immutable, Alias("muster.freeze-members")]
public sealed record FreezeMembers(
    [property: Id(0)] Guid Freeze,
    [property: Id(1)] string Filter,
    [property: Id(2)] long Seed)
{
    /// <summary>Null where waves have neither filters nor strata.</summary>
    [Id(80)] public WaveSorting? Sorting { get; init; }

    /// <summary>What the members' sites are counted by; null without site rules.</summary>
    [Id(85)] public SiteRules? SiteRules { get; init; }

    /// <summary>Of these only; null for every device that matches.</summary>
    [Id(90)] public RetriedMembers? Retried { get; init; }

    /// <summary>The members that run a newer version are to be counted; empty for none.</summary>
    [Id(115)] public string DowngradesTo { get; init; } = "";

    /// <summary>The members that the image is for are to be counted; null when nobody asks.</summary>
    [Id(131)] public ImageNeeds? Image { get; init; }

    /// <summary>Devices may join later: also a partition without members keeps a share.</summary>
    [Id(100)] public bool TakesJoiners { get; init; }

    /// <summary>Whose groups the members are in; none without budgets per value.</summary>
    [Id(105)] public ImmutableArray<ValueBudget> Budgets { get; init; } = [];
}

/// <summary>The part of the committed plan that a share executes.</summary>
[GenerateSerializer, Immutable, Alias("muster.advance-share")]
public sealed record AdvanceShare
{
    /// <summary>The freeze that the plan was cut from.</summary>
    [Id(0)] public required Guid Freeze { get; init; }

    [Id(1)] public required long Epoch { get; init; }

    /// <summary>False while nothing may be offered: permits that were not used lapse.</summary>
    [Id(2)] public required bool IsOffering { get; init; }

    [Id(3)] public required long Seed { get; init; }

    [Id(4)] public required ImmutableArray<WaveCut> Cuts { get; init; }

    /// <summary>Permits by wave, cumulative.</summary>
    [Id(5)] public required ImmutableArray<long> Granted { get; init; }

    /// <summary>When each wave opened, null before: the members' first turn.</summary>
    [Id(6)] public required ImmutableArray<DateTimeOffset?> OpenedAt { get; init; }

    /// <summary>Null for settings.</summary>
    [Id(7)] public required RolloutImage? Image { get; init; }

    [Id(8)] public required bool AllowTrackChange { get; init; }

    [Id(9)] public required TimeSpan InProgressTimeout { get; init; }

    [Id(10)] public required TimeSpan UndeliveredTimeout { get; init; }

    /// <summary>Permits by wave that the plan knows to be used or lapsed; empty from a silo of an earlier version.</summary>
    [Id(11)] public ImmutableArray<long> Seen { get; init; } = [];

    /// <summary>The image was revoked: offers that were not delivered are taken back.</summary>
    [Id(12)] public bool IsWithdrawing { get; init; }

    /// <summary>Images of <see cref="Path"/> that were revoked: offers of them that were not delivered are taken back.</summary>
    [Id(123)] public ImmutableArray<string> RevokedSteps { get; init; } = [];

    /// <summary>Null for one attempt each.</summary>
    [Id(20)] public RetryPolicy? Retries { get; init; }

    [Id(21)] public TimeoutPolicy InProgressPolicy { get; init; }

    [Id(22)] public TimeoutPolicy UndeliveredPolicy { get; init; }

    /// <summary>When devices may be offered the change; none for always.</summary>
    [Id(23)] public ImmutableArray<OfferWindow> Windows { get; init; } = [];

    /// <summary>The rollout is rolled back: the members begin anew, and what is offered is what each device ran before.</summary>
    [Id(64)] public bool IsRollingBack { get; init; }

    /// <summary>Null for an image.</summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>Null when nobody looks for them, and from a silo of an earlier version.</summary>
    [Id(100)] public SearchJoiners? Joiners { get; init; }

    /// <summary>The rollout is cancelled or aborted: what no connection has got yet is taken back.</summary>
    [Id(110)] public bool IsCancelling { get; init; }

    /// <summary>The rollout's place among those that wait for the same devices; null from a silo of an earlier version.</summary>
    [Id(111)] public ChangeRank? Rank { get; init; }

    /// <summary>Of the spec: images that take members over the steps to the image; none when nobody is taken.</summary>
    [Id(125)] public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>Of the spec; none for no budgets per value.</summary>
    [Id(105)] public ImmutableArray<ValueBudget> Budgets { get; init; } = [];

    /// <summary>When a device may begin to install; none for always.</summary>
    [Id(120)] public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];

    /// <summary>Who runs a newer version keeps it (<see cref="LateJoiners.KeepsNewer"/>).</summary>
    [Id(182)] public bool KeepsNewer { get; init; }

    /// <summary>
    /// The coordinator can be told of news (<see cref="IRolloutGrain.HearAsync"/>); false from one of an earlier version, which asks again
    /// and again.
    /// </summary>
    [Id(137)] public bool HearsNews { get; init; }

    /// <summary>The two timers, as devices and shares look at them.</summary>
    public ChangeTimers Timers => new(InProgressTimeout, UndeliveredTimeout)
    {
        InProgressPolicy = InProgressPolicy,
        UndeliveredPolicy = UndeliveredPolicy,
        InstallWindows = InstallWindows,
    };
}
