using Muster.Contracts.Commit;
using Muster.Domain.Inventory;
using Orleans.Core;

namespace Muster.Grains;

/// <summary>
/// Commits a grain's record: state, facts, row and date in one step. The grain owns one. If the commit throws, what was
/// written is unknown: the activation is dropped and the next call rereads; only a raised fence is known to have written
/// nothing. A value: a million grains have no object for it.
/// </summary>
internal readonly struct StateWriter<TRecord>(IStorage<TRecord> record, IGrainBase grain)
    where TRecord : class, IGrainRecord<TRecord>
{
    /// <summary>Row and date of the attachments are taken from <paramref name="next"/>, whatever the caller put there.</summary>
    public async Task CommitAsync(TRecord next, CommitAttachments attachments)
    {
        var previous = record.State;
        record.State = next.Attach(attachments with { Row = next.ToRow(attachments.ColdChanged), DueAt = next.NextDueAt() });
        try
        {
            await record.WriteStateAsync();
        }
        catch (FenceRaisedException)
        {
            record.State = previous;
            throw;
        }
        catch
        {
            grain.DeactivateOnIdle();
            throw;
        }
        finally
        {
            // Attachments belong to one commit: kept, they would be appended again by the next.
            record.State = record.State.Attach(CommitAttachments.None);
        }
    }
}

/// <summary>A stored record: it carries attachments into its commit, and says itself what lists show of it and when it is due.</summary>
internal interface IGrainRecord<out TRecord> : IListedRecord
{
    /// <summary><c>this with { Attachments = attachments }</c></summary>
    TRecord Attach(CommitAttachments attachments);

    /// <summary>
    /// When the record wants to be looked at next (<see cref="IDueGrain"/>); null for never. A function of the record alone.
    /// </summary>
    DateTimeOffset? NextDueAt();
}

/// <summary>A record as the inventory rebuilds it from a scan.</summary>
internal interface IListedRecord : ICommitRecord
{
    /// <summary>
    /// What lists show of it; null when it is not listed. With what they show of the cold part only when <paramref name="withCold"/>:
    /// a commit that did not change that part does not repeat it.
    /// </summary>
    InventoryRow? ToRow(bool withCold);
}
