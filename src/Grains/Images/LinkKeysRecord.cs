using Muster.Contracts.Commit;
using Muster.Domain.Images;
using Muster.Domain.Inventory;

namespace Muster.Grains.Images;

/// <summary>The secrets of links as stored. No export has them: another installation makes its own.</summary>
[GenerateSerializer, Immutable, Alias("muster.link-keys-record")]
internal sealed record LinkKeysRecord : IGrainRecord<LinkKeysRecord>
{
    [Id(0)] public LinkKeys Keys { get; init; } = LinkKeys.None;

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public LinkKeysRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    /// <summary>There is one: no list shows it.</summary>
    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
