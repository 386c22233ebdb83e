using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Contracts.Inventory;

/// <summary>Asks a partition to say once, when there is something new for a rollout's share.</summary>
/// <param name="Tenant">The rollout's.</param>
/// <param name="Rollout">Whose coordinator is told.</param>
/// <param name="After">Up to where the share has read the feed.</param>
/// <param name="Reach">Who can be reached, as the share knows it; null when it waits for nobody.</param>
[GenerateSerializer, Immutable, Alias("muster.listen-for-news")]
public sealed record ListenForNews(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] ResourceId Rollout,
    [property: Id(2)] FeedPosition After,
    [property: Id(3)] ReachMark? Reach);

/// <summary>What a partition answers to who wants to hear of news.</summary>
public enum ListenReply : byte
{
    /// <summary>It tells nobody: it has as many listeners as it takes. An answer that is not known means the same.</summary>
    Refused = 0,

    /// <summary>There is nothing new, and it will say so when there is.</summary>
    Listening = 1,

    /// <summary>The feed has something new already, and nothing more is told.</summary>
    FeedHasNews = 2,

    /// <summary>As <see cref="Listening"/> for what the feed tells; who can be reached is not as the share knows it.</summary>
    ReachHasChanged = 3,
}
