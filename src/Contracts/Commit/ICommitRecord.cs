namespace Muster.Contracts.Commit;

/// <summary>
/// A stored record as the commit sees it. The hot part is the record itself (members with <c>[Id]</c>), the cold part is
/// a second field under the same version. Attachments have no <c>[Id]</c>: they never reach the record's bytes.
/// </summary>
public interface ICommitRecord
{
    /// <summary>The cold part, stored in a field of its own; null for a record without one.</summary>
    object? Cold { get; }

    /// <summary>What goes into the commit beside the record; the grain clears it in <c>finally</c>.</summary>
    CommitAttachments Attachments { get; }

    /// <summary>Puts back a cold part that was just read.</summary>
    ICommitRecord WithCold(object? cold);
}
