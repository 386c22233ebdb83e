using System.Globalization;
using Muster.Contracts.Commit;

namespace Muster.Testing.Stores;

/// <summary>Commits one record over and over, as a grain would: it rereads whenever a commit ended in doubt.</summary>
public sealed class NoteWriter(StoreSession session, int number)
{
    /// <summary>Four to a partition, so that groups form.</summary>
    public const int RecordsTotal = 4 * StoreSession.Partitions;

    /// <summary>A commit has none, one or several facts in turn.</summary>
    private const int FactsCycle = 4;

    public static GrainId Id(int number) =>
        NoteRecord.IdIn(number % StoreSession.Partitions, number.ToString("D3", CultureInfo.InvariantCulture));

    /// <summary>Tells each version that was acknowledged, until cancelled.</summary>
    public async Task RunAsync(Func<long, ValueTask> acknowledged, CancellationToken cancellationToken)
    {
        NoteState? state = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                state ??= await session.ReadAsync(Id(number));
                var version = Version(state) + 1;
                await session.WriteAsync(Id(number), state, state.State.Next($"v{version}", (int)(version % FactsCycle)));
                await acknowledged(version);
            }
            catch (Exception exception) when (exception is StoreUnavailableException or CommitConflictException)
            {
                state = null;
            }
        }
    }

    public static long Version(NoteState state) =>
        state.RecordExists ? long.Parse(state.ETag, CultureInfo.InvariantCulture) : 0;
}
