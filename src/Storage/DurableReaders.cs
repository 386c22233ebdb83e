using System.Globalization;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// A reader is a field of a hash beside the partition's, under the same hash tag. The position's lineage is compared twice: its fingerprint
/// here, where hashes can be computed, and the entry's bytes once more in the script that writes.
/// </summary>
internal sealed class DurableReaders(StoreConnection connection, IDurabilityBarrier barrier) : IDurableReaders
{
    public async Task<ReaderReply> RegisterAsync(
        int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken)
    {
        var reply = await MoveAsync(partition, reader, position, isRegistering: true, cancellationToken);

        // An advance that is lost holds up too much for a while; a registration that is lost holds up nothing.
        await barrier.PassAsync(cancellationToken);
        return reply;
    }

    public Task<ReaderReply> AdvanceAsync(
        int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken) =>
        MoveAsync(partition, reader, position, isRegistering: false, cancellationToken);

    public Task LeaveAsync(int partition, string reader, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.ReadersKey(partition);
        return connection.RunAsync(database => database.HashDeleteAsync(key, reader), cancellationToken);
    }

    public async Task<ImmutableArray<ReaderLag>> GetLagsAsync(int partition, CancellationToken cancellationToken)
    {
        // The readers first: the head is not behind them then.
        RedisKey readers = RecordLayout.ReadersKey(partition);
        var stored = await connection.RunAsync(database => database.HashGetAllAsync(readers), cancellationToken);
        var heading = await ReadAsync(partition, [RecordLayout.InstallationField, RecordLayout.HeadField], cancellationToken);
        var head = heading[1].IsNull ? 0 : (long)heading[1];
        return [.. stored
            .Select(field => new ReaderLag(field.Name!, head - ReaderBytes.Parse(field.Value).Sequence))
            .OrderByDescending(lag => lag.Entries)];
    }

    private async Task<ReaderReply> MoveAsync(
        int partition, DurableReader reader, FeedPosition position, bool isRegistering, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentException.ThrowIfNullOrEmpty(reader.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reader.Name.Length, FeedLimits.ReaderNameCharactersMax, nameof(reader));
        ArgumentOutOfRangeException.ThrowIfNegative(reader.LagMax, nameof(reader));
        ArgumentOutOfRangeException.ThrowIfNegative(position.Sequence, nameof(position));
        RedisValue field = RecordLayout.FactField(position.Sequence);
        var entry = (await ReadAsync(partition, [RecordLayout.InstallationField, field], cancellationToken))[1];
        var isSame = entry.IsNull || FeedReader.PositionOf(position.Sequence, entry) == position;

        RedisKey[] keys = [RecordLayout.PartitionKey(partition), RecordLayout.ReadersKey(partition)];
        RedisValue[] values =
        [
            connection.Installation,
            reader.Name,
            position.Sequence,
            field,
            // Of another lineage it is compared with what no entry is.
            isSame ? entry.IsNull ? RedisValue.EmptyString : entry : "another",
            ReaderBytes.Of(position, reader.LagMax),
            FeedLimits.ReadersMax,
            isRegistering ? 1 : 0,
        ];
        var reply = (RedisResult[])(await connection.RunAsync(
            database => StoreScript.MoveReader.EvaluateAsync(database, keys, values), cancellationToken))!;
        return (long)reply[0] switch
        {
            ReaderVerdict.NotMine => throw StoreConnection.Lost(partition),
            ReaderVerdict.Held => new ReaderReply(ReaderStatus.Held, ReaderBytes.Parse((RedisValue)reply[1])),
            ReaderVerdict.Trimmed => new ReaderReply(ReaderStatus.Trimmed, default),
            ReaderVerdict.Rewound => new ReaderReply(ReaderStatus.Rewound, default),
            ReaderVerdict.Unknown => new ReaderReply(ReaderStatus.Unknown, default),
            ReaderVerdict.TooMany => new ReaderReply(ReaderStatus.TooMany, default),
            var other => throw new InvalidDataException($"The script that moves readers replied {other}."),
        };
    }

    /// <summary>The first field is the installation's id.</summary>
    private async Task<RedisValue[]> ReadAsync(int partition, RedisValue[] fields, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), cancellationToken);
        connection.Verify(partition, values[0]);
        return values;
    }
}

/// <summary>What the scripts of the feed's readers reply.</summary>
internal static class ReaderVerdict
{
    public const long Held = 1;
    public const long Trimmed = 2;
    public const long Rewound = 3;
    public const long Unknown = 4;
    public const long TooMany = 5;

    /// <summary>The partition does not carry the installation's id.</summary>
    public const long NotMine = -5;
}

/// <summary>What is stored of a reader. Final: it is data on disk, and the scripts read it.</summary>
internal static class ReaderBytes
{
    public static string Of(FeedPosition position, long lagMax) =>
        string.Create(CultureInfo.InvariantCulture, $"{position.Sequence} {position.Fingerprint:x16} {lagMax}");

    public static FeedPosition Parse(RedisValue stored)
    {
        var parts = ((string?)stored ?? "").Split(' ');
        return parts.Length == 3
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            && ulong.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var fingerprint)
            ? new FeedPosition(sequence, fingerprint)
            : throw new InvalidDataException("A stored position of a feed's reader cannot be read.");
    }
}
