using Muster.Contracts.Commit;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;

namespace Muster.Grains.EndOfSupport;

/// <summary>A campaign as stored; it is shown with its product, not listed.</summary>
[GenerateSerializer, Immutable, Alias("muster.end-of-support-record")]
internal sealed record EndOfSupportRecord : IGrainRecord<EndOfSupportRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public SupportCampaign? Campaign { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public EndOfSupportRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => CampaignRules.NextDueAt(Campaign);
}
