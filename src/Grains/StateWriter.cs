using Muster.Contracts.Commit;

namespace Muster.Grains;

/// <summary>
/// Commits a grain's record: state, facts, row and date in one step. The grain owns one. If the commit throws, what was
/// written is unknown: the activation is dropped and the next call rereads; only a raised fence is known to have written
/// nothing.
/// </summary>
internal sealed class StateWriter<TRecord>(IPersistentState<TRecord> record, Action deactivate)
    where TRecord : class, ICommitRecord, IAttachable<TRecord>
{
    public async Task CommitAsync(TRecord next, CommitAttachments attachments)
    {
        var previous = record.State;
        record.State = next.Attach(attachments);
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
            deactivate();
            throw;
        }
        finally
        {
            // Attachments belong to one commit: kept, they would be appended again by the next.
            record.State = record.State.Attach(CommitAttachments.None);
        }
    }
}

/// <summary>A record that can carry attachments: <c>public T Attach(CommitAttachments a) =&gt; this with { Attachments = a };</c></summary>
internal interface IAttachable<out TRecord>
{
    TRecord Attach(CommitAttachments attachments);
}
