using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Muster.Domain.Serials;

namespace Muster.Grains.Serials;

/// <summary>A serial as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-record")]
internal sealed record SerialRecord : IGrainRecord<SerialRecord>
{
    /// <summary>Null before the first claim.</summary>
    [Id(0)] public SerialClaims? Claims { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public SerialRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Claims is null ? null : SerialRow.Of(Claims);

    public DateTimeOffset? NextDueAt() => null;
}
