using Muster.Contracts.Commit;
using Muster.Domain.Images;
using Muster.Domain.Inventory;

namespace Muster.Grains.Images;

/// <summary>An image as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-record")]
internal sealed record ImageRecord : IGrainRecord<ImageRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Image? Image { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public ImageRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Image is null ? null : ImageRow.Of(Image);

    /// <summary>
    /// A verified image is due until its bytes are servable, a revoked one until it is fenced: that is how a crash between the two is made
    /// good.
    /// </summary>
    public DateTimeOffset? NextDueAt() => Image switch
    {
        { State: ImageState.Verified } verified => verified.CreatedAt,
        { State: ImageState.Revoked, Revocation: { IsFenced: false } revocation } => revocation.At,
        _ => null,
    };
}
