using System.Globalization;
using System.IO.Hashing;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class FeedReader(StoreConnection connection, PayloadSerializer payloads, WrittenEntries written) : IFeedReader
{
    /// <summary>Entries that are asked for together with the head: a tail that is nudged finds a few, one that polls finds none.</summary>
    private const int Ahead = 8;

    /// <summary>The fields of a first request before the entries.</summary>
    private const int Heading = 4;

    public async Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken)
    {
        RedisValue[] fields = [RecordLayout.InstallationField, RecordLayout.HeadField];
        return NumberOf((await ReadAsync(partition, fields, cancellationToken))[1]);
    }

    public async Task<FeedPosition> GetEndAsync(int partition, CancellationToken cancellationToken)
    {
        var head = await GetHeadAsync(partition, cancellationToken);
        if (head == 0)
        {
            return FeedPosition.Start;
        }

        var last = (await ReadAsync(partition, [RecordLayout.InstallationField, RecordLayout.FactField(head)], cancellationToken))[1];
        return last.IsNull ? throw Missing(partition, head, head) : PositionOf(head, last);
    }

    public async Task<FeedPage> FollowAsync(int partition, FeedPosition after, int entriesMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(entriesMax);
        var max = Math.Min(entriesMax, CommitLimits.FeedReadEntriesMax);
        var ahead = Math.Min(max, Ahead);
        RedisValue[] heading =
        [
            RecordLayout.InstallationField, RecordLayout.HeadField, RecordLayout.TrimField, RecordLayout.FactField(after.Sequence),
        ];
        var values = await ReadAsync(partition, [.. heading, .. FieldsOf(after.Sequence, ahead)], cancellationToken);
        var (head, trimmed) = (NumberOf(values[1]), NumberOf(values[2]));
        if (ContinuityOf(after, head, trimmed, values[3]) is not FeedContinuity.Follows and var broken)
        {
            return new FeedPage(broken, [], after, head);
        }

        var count = (int)Math.Min(head - after.Sequence, max);
        var found = values[Heading..].Take(count).ToList();
        if (count > found.Count)
        {
            RedisValue[] rest =
                [RecordLayout.InstallationField, .. FieldsOf(after.Sequence + found.Count, count - found.Count)];
            found.AddRange((await ReadAsync(partition, rest, cancellationToken)).Skip(1));
        }

        var entries = ImmutableArray.CreateBuilder<FeedEntry>(count);
        for (var i = 0; i < count; i++)
        {
            var sequence = after.Sequence + 1 + i;
            if (found[i].IsNull)
            {
                // Trimmed between the two requests.
                return i == 0 ? new FeedPage(FeedContinuity.Trimmed, [], after, head) : throw Missing(partition, sequence, head);
            }

            var position = PositionOf(sequence, found[i]);
            var entry = written.Take(position.Fingerprint) ?? payloads.ReadEntry(found[i]);
            entries.Add(entry with { Sequence = sequence, Fingerprint = position.Fingerprint });
        }

        var next = count == 0 ? after : new FeedPosition(after.Sequence + count, entries[^1].Fingerprint);
        return new FeedPage(FeedContinuity.Follows, entries.MoveToImmutable(), next, head);
    }

    public async Task<bool> IsAtEndAsync(int partition, FeedPosition position, CancellationToken cancellationToken)
    {
        RedisValue[] fields = [RecordLayout.InstallationField, RecordLayout.HeadField, RecordLayout.FactField(position.Sequence)];
        var values = await ReadAsync(partition, fields, cancellationToken);
        return NumberOf(values[1]) == position.Sequence
            && (position.Sequence == 0 || (!values[2].IsNull && PositionOf(position.Sequence, values[2]) == position));
    }

    public async Task<long> GetTrimmedAsync(int partition, CancellationToken cancellationToken) =>
        NumberOf((await ReadAsync(partition, [RecordLayout.InstallationField, RecordLayout.TrimField], cancellationToken))[1]);

    public async Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(entriesMax);
        var head = await GetHeadAsync(partition, cancellationToken);
        var count = (int)Math.Min(head - after, Math.Min(entriesMax, CommitLimits.FeedReadEntriesMax));
        if (count <= 0)
        {
            return [];
        }

        var values = await ReadAsync(partition, [RecordLayout.InstallationField, .. FieldsOf(after, count)], cancellationToken);
        return
        [
            .. values.Skip(1).Select((value, index) => value.IsNull
                ? throw Missing(partition, after + 1 + index, head)
                : payloads.ReadEntry(value) with { Sequence = after + 1 + index }),
        ];
    }

    private static FeedContinuity ContinuityOf(FeedPosition after, long head, long trimmed, RedisValue last)
    {
        if (after.Sequence == 0)
        {
            return trimmed > 0 ? FeedContinuity.Trimmed : FeedContinuity.Follows;
        }

        if (head < after.Sequence)
        {
            return FeedContinuity.Rewound;
        }

        if (last.IsNull || trimmed > after.Sequence)
        {
            return FeedContinuity.Trimmed;
        }

        return PositionOf(after.Sequence, last) == after ? FeedContinuity.Follows : FeedContinuity.Rewound;
    }

    internal static FeedPosition PositionOf(long sequence, ReadOnlyMemory<byte> entry) =>
        new(sequence, FingerprintOf(entry.Span));

    internal static ulong FingerprintOf(ReadOnlySpan<byte> entry) => XxHash3.HashToUInt64(entry);

    private static IEnumerable<RedisValue> FieldsOf(long after, int count) =>
        Enumerable.Range(1, count).Select(step => (RedisValue)RecordLayout.FactField(after + step));

    private static long NumberOf(RedisValue value) => value.IsNull ? 0 : long.Parse((string)value!, CultureInfo.InvariantCulture);

    private static InvalidDataException Missing(int partition, long sequence, long head) =>
        new($"The feed of partition {partition} has no entry {sequence} below its head {head}.");

    /// <summary>The first field is the installation's id.</summary>
    private async Task<RedisValue[]> ReadAsync(int partition, RedisValue[] fields, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), cancellationToken);
        connection.Verify(partition, values[0]);
        return values;
    }
}
