using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Inventory;

/// <summary>
/// What one partition holds: rows for lists, filters and watches, presence, and the dates that are due. Nothing of its own
/// is stored: it is rebuilt from the records and follows the partition's feed. Key: the partition's number.
/// </summary>
[GrainInterfaceType("muster.inventory"), Alias("muster.IInventoryGrain"), Version(1)]
public interface IInventoryGrain : IGrainWithIntegerKey
{
    /// <summary>The feed has grown (sent by the committing silo; may be lost, a backstop polls).</summary>
    [Alias("Nudge"), OneWay]
    Task NudgeAsync();

    /// <summary>
    /// A page of rows of one kind (a <see cref="GrainTypes"/> name) that match the filter, in the query's order. Reads the feed up to
    /// its head first, so that a caller sees every write acknowledged before the call.
    /// </summary>
    [Alias("List"), ResponseTimeout(CallTimeouts.Commit)]
    Task<RowPage> ListAsync(RowQuery query);

    /// <summary>
    /// The tenant's devices in service that match the filter, behind the name <paramref name="after"/> (empty for the first); as fresh as a
    /// list.
    /// </summary>
    [Alias("ListInService"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DevicesInService> ListInServiceAsync(TenantId tenant, string filter, string after);

    /// <summary>
    /// The tenant's devices that have a session, and the rollout that has each, as fresh as a list; null when they are those that the
    /// caller has under <paramref name="known"/>.
    /// </summary>
    [Alias("ListConnected"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ConnectedDevices?> ListConnectedAsync(TenantId tenant, ReachMark known);

    /// <summary>
    /// How many rows of the kind match the filter, by the values of <paramref name="groupBy"/> (<see cref="InventoryGrouping"/>; empty for
    /// the total only). As fresh as a list; order, place and size of the query do not count.
    /// </summary>
    [Alias("Count"), ResponseTimeout(CallTimeouts.Commit)]
    Task<RowCounts> CountAsync(RowQuery query, string groupBy);

    /// <summary>
    /// Starts or renews (every minute) a watch: changed rows of the kind that match now are sent to the watcher, and those that matched
    /// before the change and no longer do, as <see cref="ListedRow.HasLeft"/>. Expires after three minutes. The position is that of all
    /// that was told so far; null when the partition has as many watchers as it takes.
    /// </summary>
    [Alias("Watch"), ResponseTimeout(CallTimeouts.Commit)]
    Task<WatchReply?> WatchAsync(IRowWatcher watcher, RowQuery query);

    /// <summary>
    /// For a watcher that was away: rows of the query's kind that changed behind <paramref name="position"/>, as they are now, those that
    /// do not match as <see cref="ListedRow.HasLeft"/> (whether they ever did is not known); and devices that came or went since
    /// <paramref name="at"/>. Null when the feed does not reach back to the position, or never was there.
    /// </summary>
    [Alias("ChangedSince"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ChangedRows?> GetChangedSinceAsync(RowQuery query, FeedPosition position, DateTimeOffset at);

    /// <summary>
    /// A page of what changed of one kind behind <paramref name="after"/>: the rows that match now, in full, and the names of the others.
    /// Presence does not count. At most as old as what is shown is without a question; costs nothing when nothing changed, and one read of
    /// the feed otherwise. Null when the feed does not reach back to the position, or never was there.
    /// </summary>
    [Alias("FindChanged"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ChangedMatches?> FindChangedAsync(RowQuery query, FeedPosition after);

    /// <summary>
    /// What the feed tells of devices' changes behind <paramref name="after"/>, from memory where it reaches: however many rollouts run,
    /// the partition's feed is read once. At most as old as what is shown is without a question (a second when a nudge is lost).
    /// </summary>
    [Alias("Follow"), ResponseTimeout(CallTimeouts.Commit)]
    Task<TailPage> FollowAsync(FeedPosition after);

    /// <summary>
    /// Tells the rollout's coordinator once, by <see cref="Rollouts.IRolloutGrain.HearAsync"/>, when the feed has something new for its
    /// share of this partition or somebody has come, gone or got free. Kept in memory for a minute, one for each rollout: who is not told
    /// asks again.
    /// </summary>
    [Alias("Listen"), ResponseTimeout(CallTimeouts.Commit)]
    Task<ListenReply> ListenAsync(ListenForNews command);

    [Alias("Unwatch"), ResponseTimeout(CallTimeouts.Commit)]
    Task UnwatchAsync(IRowWatcher watcher);

    /// <summary>
    /// Compares what is shown with a fold of the records and the feed, made anew beside it. The partition goes on answering.
    /// </summary>
    [Alias("Verify"), ResponseTimeout(CallTimeouts.Sweep), AlwaysInterleave]
    Task<InventoryCheck> VerifyAsync();

    /// <summary>
    /// Builds what is shown from the records again, as after a restart, and goes on answering meanwhile. Watchers are told what differs.
    /// Presence is kept.
    /// </summary>
    [Alias("Rebuild"), ResponseTimeout(CallTimeouts.Sweep), AlwaysInterleave]
    Task RebuildAsync();

    /// <summary>
    /// A gateway's sessions of this partition's devices: all of them, or what changed since its last message. Kept in memory,
    /// expires after 90 s.
    /// </summary>
    [Alias("ReportPresence"), ResponseTimeout(CallTimeouts.Presence)]
    Task ReportPresenceAsync(PresenceReport report);

    /// <summary>The newest session known of a device; null when there is none.</summary>
    [Alias("FindPresence"), ResponseTimeout(CallTimeouts.Presence)]
    Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device);

    /// <summary>
    /// Records whose date has passed, at most <paramref name="recordsMax"/>, earliest first, and the next date after them.
    /// </summary>
    [Alias("GetDue"), ResponseTimeout(CallTimeouts.Presence)]
    Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax);

    /// <summary>
    /// The revoked certificates of the fleet CA of this partition's devices, as fresh as a list; null when they are those that the caller
    /// has under <paramref name="known"/>.
    /// </summary>
    [Alias("GetRevocations"), ResponseTimeout(CallTimeouts.Commit)]
    Task<PartitionRevocations?> GetRevocationsAsync(RevocationMark known);
}

/// <summary>Receives changed rows.</summary>
[GrainInterfaceType("muster.row-watcher"), Alias("muster.IRowWatcher")]
public interface IRowWatcher : IGrainObserver
{
    [Alias("RowChanged"), OneWay]
    Task RowChangedAsync(RowChange change);
}

/// <summary>Asks for rows of one kind and tenant.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Kind">A name of <see cref="GrainTypes"/>.</param>
/// <param name="Filter">The filter's text (<see cref="InventoryFilter"/>); empty for all.</param>
/// <param name="After">Only rows behind the one of this name; empty for the first page.</param>
/// <param name="RowsMax">1 to <see cref="RowsLimit"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.row-query")]
public sealed record RowQuery(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] string Kind,
    [property: Id(2)] string Filter,
    [property: Id(3)] string After,
    [property: Id(4)] int RowsMax)
{
    /// <summary>One page of the public API (AIP-158) and one message between silos.</summary>
    public const int RowsLimit = 1000;

    /// <summary>Watchers of one partition; each costs memory, and those whose filter names no value cost time with every change.</summary>
    public const int WatchersMax = 1_000;

    /// <summary>The order's text (<see cref="InventoryOrder"/>); empty for the names'.</summary>
    [Id(5)] public string OrderBy { get; init; } = "";

    /// <summary>The values of the row of <see cref="After"/> in the fields of <see cref="OrderBy"/>.</summary>
    [Id(6)] public ImmutableArray<FieldValue> AfterKeys { get; init; } = [];

    /// <summary>Of a count: the groups may come as a table. Who does not say so, as an earlier version, gets them one by one.</summary>
    [Id(7)] public bool TakesCells { get; init; }

    /// <summary>The fields of the kind.</summary>
    public ImmutableArray<InventoryField> Fields => Kind switch
    {
        GrainTypes.Device => InventoryFields.Device,
        GrainTypes.Image => InventoryFields.Image,
        GrainTypes.Rollout => InventoryFields.Rollout,
        GrainTypes.Decommission => InventoryFields.Decommission,
        GrainTypes.Warranty => InventoryFields.Warranty,
        GrainTypes.Enrollment => InventoryFields.Enrollment,
        GrainTypes.Serial => InventoryFields.Serial,
        _ => InventoryFields.NameOnly,
    };

    /// <summary>Reads the filter by the fields of the kind; the error says what is wrong with it.</summary>
    public (InventoryFilter Filter, FleetError? Error) ReadFilter() => InventoryFilter.Parse(Filter, Fields);

    /// <summary>Reads the order by the fields of the kind; the error says what is wrong with it.</summary>
    public (InventoryOrder Order, FleetError? Error) ReadOrder() => InventoryOrder.Parse(OrderBy, Fields);
}

/// <summary>A row with its version and, for devices, presence.</summary>
[GenerateSerializer, Immutable, Alias("muster.listed-row")]
public sealed record ListedRow(
    [property: Id(0)] RecordKey Record,
    [property: Id(1)] long Version,
    [property: Id(2)] InventoryRow Row,
    [property: Id(3)] DevicePresence? Presence) : IFieldSource
{
    /// <summary>Its values in the fields that the query ordered by.</summary>
    [Id(4)] public ImmutableArray<FieldValue> Keys { get; init; } = [];

    /// <summary>In a watch: the row no longer matches.</summary>
    [Id(5)] public bool HasLeft { get; init; }

    public FieldValue Field(string name, string key) =>
        InventoryFields.IsPresence(name) ? DevicePresence.Field(Presence, name) : Row.Field(name, key);
}

/// <summary>A page of rows.</summary>
/// <param name="Rows">In the order of the query.</param>
/// <param name="IsLast">True when nothing follows.</param>
/// <param name="Error">Set when the query cannot be read; then there are no rows.</param>
[GenerateSerializer, Immutable, Alias("muster.row-page")]
public sealed record RowPage(
    [property: Id(0)] ImmutableArray<ListedRow> Rows,
    [property: Id(1)] bool IsLast,
    [property: Id(2)] FleetError? Error);

/// <summary>What a gateway knows of its sessions in one partition.</summary>
/// <param name="GatewayId">Unique per process start.</param>
/// <param name="Gateway">Where down messages go.</param>
/// <param name="IsFull">True when sessions not named here are gone.</param>
/// <param name="Sessions">At most <see cref="SessionsMax"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.presence-report")]
public sealed record PresenceReport(
    [property: Id(0)] string GatewayId,
    [property: Id(1)] IGatewayObserver Gateway,
    [property: Id(2)] bool IsFull,
    [property: Id(3)] ImmutableArray<SessionPresence> Sessions)
{
    /// <summary>A gateway's sessions of one partition; ten thousand in one message would block a silo for milliseconds.</summary>
    public const int SessionsMax = 10_000;
}

/// <summary>One session.</summary>
/// <param name="Reason">Why it is not there; unspecified while it is.</param>
[GenerateSerializer, Immutable, Alias("muster.session-presence")]
public readonly record struct SessionPresence(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] long Epoch,
    [property: Id(3)] bool Connected,
    [property: Id(4)] DateTimeOffset LastSeenAt,
    [property: Id(5)] DeviceHealth? Health,
    [property: Id(6)] DisconnectReason Reason)
{
    /// <summary>The words of its last will, when it went without a goodbye; at most 200 characters, null for none.</summary>
    [Id(50)] public string? LastWill { get; init; }
}

/// <summary>What is known of a device's session.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-presence")]
public sealed record DevicePresence(
    [property: Id(0)] bool Connected,
    [property: Id(1)] DateTimeOffset LastSeenAt,
    [property: Id(2)] long Epoch,
    [property: Id(3)] string GatewayId,
    [property: Id(4)] IGatewayObserver? Gateway,
    [property: Id(5)] DeviceHealth? Health)
{
    /// <summary>Why it is not connected; unspecified while it is.</summary>
    [Id(6)] public DisconnectReason Reason { get; init; }

    /// <summary>The words of its last will, when it went without a goodbye; null for none.</summary>
    [Id(50)] public string? LastWill { get; init; }

    /// <summary>The value of a field of <see cref="InventoryFields.Presence"/>; null is a device that nobody heard of.</summary>
    public static FieldValue Field(DevicePresence? presence, string name) => name switch
    {
        "connected" => FieldValue.Of(presence is { Connected: true }),
        "last_seen_at" => FieldValue.Of(presence?.LastSeenAt),
        "uptime" => presence?.Health is { } health ? FieldValue.Of(health.UptimeSeconds * 1_000) : FieldValue.None,
        "disconnect_reason" => FieldValue.Of((int)(presence?.Reason ?? DisconnectReason.Unspecified)),
        _ => throw new UnreachableException($"'{name}' is no field of presence."),
    };
}

/// <summary>Records whose date has passed.</summary>
[GenerateSerializer, Immutable, Alias("muster.due-records")]
public sealed record DueRecords(
    [property: Id(0)] ImmutableArray<RecordKey> Records,
    [property: Id(1)] DateTimeOffset? NextAt);
