namespace Muster.Domain.EndOfSupport;

/// <summary>A campaign was opened: its partitions will propose.</summary>
[GenerateSerializer, Immutable, Alias("muster.campaign-opened")]
public sealed record CampaignOpened(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] string Campaign,
    [property: Id(2)] DateTimeOffset EndsAt) : DomainEvent;

/// <summary>A step of a sweep is done; the numbers are totals, never increments.</summary>
[GenerateSerializer, Immutable, Alias("muster.campaign-advanced")]
public sealed record CampaignAdvanced(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] string Campaign,
    [property: Id(2)] int PartitionsDone,
    [property: Id(3)] long Proposed) : DomainEvent;

/// <summary>Every partition has proposed for its devices; the next sweep looks for devices that joined later, or were missed.</summary>
[GenerateSerializer, Immutable, Alias("muster.campaign-swept")]
public sealed record CampaignSwept(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] string Campaign,
    [property: Id(2)] long Proposed,
    [property: Id(3)] DateTimeOffset NextSweepAt) : DomainEvent
{
    /// <summary>Devices that could not be asked.</summary>
    [Id(4)] public long Missed { get; init; }
}

/// <summary>The date moved: the campaign proposes nothing any more. What it proposed stays for operators to cancel.</summary>
[GenerateSerializer, Immutable, Alias("muster.campaign-closed")]
public sealed record CampaignClosed(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] string Campaign) : DomainEvent;
