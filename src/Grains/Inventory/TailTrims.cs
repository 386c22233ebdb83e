using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;

namespace Muster.Grains.Inventory;

/// <summary>Trims a partition's feed behind its tail, and raises an alarm while a durable reader holds that up.</summary>
internal sealed partial class TailTrims(
    int partition, IFeedTrimmer trimmer, FeedInstruments instruments, TimeProvider clock, ILogger logger)
{
    /// <summary>The feed is trimmed after so many entries: rarely enough to cost nothing beside them.</summary>
    public const int EntriesBetweenTrims = 1_024;

    /// <summary>An alarm that lasts is told again so often: seldom beside the seconds in which it is looked at.</summary>
    public static readonly TimeSpan AlarmInterval = TimeSpan.FromMinutes(5);

    private long _trimmedAt;
    private DateTimeOffset? _alarmedAt;

    /// <summary>Whether a reader is so far behind that the feed is to be looked at without an entry that calls for it.</summary>
    public bool IsAlarming => _alarmedAt is not null;

    /// <summary>After the tail has read up to the position.</summary>
    public Task FollowAsync(FeedPosition position, CancellationToken cancellationToken) =>
        Math.Abs(position.Sequence - _trimmedAt) >= EntriesBetweenTrims ? TrimAsync(position, cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// While a reader is far behind the feed is looked at with every tick: commits may be refused, so that no entry says that it caught up.
    /// </summary>
    public Task TickAsync(FeedPosition position, CancellationToken cancellationToken) =>
        _alarmedAt is null ? Task.CompletedTask : TrimAsync(position, cancellationToken);

    public async Task TrimAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        var trim = await trimmer.TrimAsync(partition, cancellationToken);
        _trimmedAt = position.Sequence;
        instruments.Set(partition, trim.Slowest);
        foreach (var reader in trim.LetGo)
        {
            instruments.CountLetGo();
            LogLetGo(partition, reader);
        }

        Alarm(trim);
    }

    public void Forget() => instruments.Set(partition, null);

    private void Alarm(FeedTrim trim)
    {
        if (trim.Slowest is not { IsAlarming: true } slowest)
        {
            if (_alarmedAt is not null)
            {
                LogCaughtUp(partition);
            }

            _alarmedAt = null;
            return;
        }

        var now = clock.GetUtcNow();
        if (_alarmedAt is not { } alarmedAt || now - alarmedAt >= AlarmInterval)
        {
            _alarmedAt = now;
            LogBehind(partition, slowest.Reader, slowest.Entries);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Feed of partition {Partition}: reader {Reader} is {Lag} entries behind and holds up trimming; "
            + "when it does not go on, commits will be refused (FEED_FULL)")]
    private partial void LogBehind(int partition, string reader, long lag);

    [LoggerMessage(Level = LogLevel.Information, Message = "Feed of partition {Partition}: its readers have caught up")]
    private partial void LogCaughtUp(int partition);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Feed of partition {Partition}: reader {Reader} was let go, it was further behind than it may hold up trimming")]
    private partial void LogLetGo(int partition, string reader);
}
