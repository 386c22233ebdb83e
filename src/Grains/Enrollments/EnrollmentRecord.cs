using Muster.Contracts.Commit;
using Muster.Domain.Enrollments;
using Muster.Domain.Inventory;

namespace Muster.Grains.Enrollments;

/// <summary>A request as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-record")]
internal sealed record EnrollmentRecord : IGrainRecord<EnrollmentRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public EnrollmentRequest? Request { get; init; }

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public EnrollmentRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Request is null ? null : EnrollmentRow.Of(Request);

    public DateTimeOffset? NextDueAt() => EnrollmentRequestRules.NextDueAt(Request);
}

/// <summary>The places of a tenant as stored.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-queue-record")]
internal sealed record EnrollmentQueueRecord : IGrainRecord<EnrollmentQueueRecord>
{
    /// <summary>At most <see cref="EnrollmentPlaces.WaitingMax"/>.</summary>
    [Id(0)] public ImmutableArray<EnrollmentPlace> Places { get; init; } = [];

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    public EnrollmentQueueRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => null;

    public DateTimeOffset? NextDueAt() => null;
}
