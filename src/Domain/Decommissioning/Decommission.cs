using Muster.Domain.Devices;
using Muster.Domain.Operators;

namespace Muster.Domain.Decommissioning;

/// <summary>The end of one device: who wanted it, who approved it, the command, and the proof.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission")]
public sealed record Decommission
{
    /// <summary>Campaigns that an operator said no to are remembered; far more than live at once for one device.</summary>
    public const int RefusedCampaignsMax = 16;

    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required DeviceId Device { get; init; }

    [Id(2)] public required DecommissionState State { get; init; }

    [Id(3)] public required DateTimeOffset StateChangedAt { get; init; }

    [Id(4)] public required DecommissionCause Cause { get; init; }

    /// <summary>The campaign or review that proposed it; empty without one.</summary>
    [Id(5)] public required string Campaign { get; init; }

    [Id(6)] public DateTimeOffset? ProposedAt { get; init; }

    [Id(7)] public DateTimeOffset? RequestedAt { get; init; }

    /// <summary>The operator who asked; never the approver.</summary>
    [Id(8)] public Actor? Requester { get; init; }

    [Id(9)] public DateTimeOffset? ApprovedAt { get; init; }

    [Id(10)] public Actor? Approver { get; init; }

    /// <summary>The roles that the approver had when he approved.</summary>
    [Id(11)] public ImmutableArray<OperatorRole> ApproverRoles { get; init; } = [];

    /// <summary>From the approval on.</summary>
    [Id(12)] public Erasure? Erasure { get; init; }

    /// <summary>Set with <see cref="DecommissionState.Completed"/> and only then (I9).</summary>
    [Id(13)] public ErasureEvidence? Evidence { get; init; }

    [Id(14)] public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Campaigns whose proposal an operator cancelled, newest last; they propose nothing here again.</summary>
    [Id(15)] public ImmutableArray<string> RefusedCampaigns { get; init; } = [];
}

/// <summary>How far the erasure is.</summary>
/// <param name="Command">The factory-default command that is valid now.</param>
/// <param name="Nonces">Of every command issued since the approval, newest last; at most <see cref="CommandsMax"/>.</param>
/// <param name="HandedOver">True when the device's record has the command.</param>
/// <param name="Looks">How often the device was looked at since the command was issued; spaces the looks.</param>
/// <param name="NextLookAt">When to look at the device again; null when stalled.</param>
/// <param name="StalledReason">Why it cannot go on by itself; empty while it can. A new approval starts it again.</param>
[GenerateSerializer, Immutable, Alias("muster.erasure")]
public sealed record Erasure(
    [property: Id(0)] DeviceCommand Command,
    [property: Id(1)] ImmutableArray<string> Nonces,
    [property: Id(2)] bool HandedOver,
    [property: Id(3)] int Looks,
    [property: Id(4)] DateTimeOffset? NextLookAt,
    [property: Id(5)] string StalledReason)
{
    /// <summary>With <see cref="CommandLifetime"/> twelve weeks: a device that was away for longer is a matter for people.</summary>
    public const int CommandsMax = 12;

    /// <summary>Long enough for a device behind a broken link, short enough that a stolen command is soon worthless.</summary>
    public static readonly TimeSpan CommandLifetime = TimeSpan.FromDays(7);

    /// <summary>The first look: an erasure that is answered at once takes about as long.</summary>
    public static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);

    /// <summary>Ten thousand devices that wait at this pace cost eleven commits per second.</summary>
    public static readonly TimeSpan LookIntervalMax = TimeSpan.FromMinutes(15);

    /// <summary>The time until the look after this many: doubles from <see cref="FirstLook"/> to <see cref="LookIntervalMax"/>.</summary>
    public static TimeSpan Interval(int looks)
    {
        // 2^10 seconds are more than the longest interval already.
        const int DoublingsMax = 10;
        var interval = FirstLook * (1 << Math.Clamp(looks, 0, DoublingsMax));
        return interval < LookIntervalMax ? interval : LookIntervalMax;
    }
}
