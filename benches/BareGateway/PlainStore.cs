using System.Globalization;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using StackExchange.Redis;

namespace Muster.BareGateway;

/// <summary>
/// The plainest way to keep a message in Redis before it is acknowledged: one HSET of as many bytes as the product's commit of an inventory
/// writes. No version is compared and nothing is decided; many share a connection and its packets, but each is a command of its own,
/// where the product's commits of many devices leave in one.
/// </summary>
internal sealed class PlainStore
{
    /// <summary>What an inventory of these benches writes: the record and its cold part (1,060 and 118 bytes), and the fact.</summary>
    private const int RecordBytes = 1_178;
    private const int FactBytes = 535;

    /// <summary>As many records as the largest fleet of the benches has.</summary>
    private const int Records = 10_000;

    private readonly IDatabase _database;
    private readonly RedisKey[] _partitions = [.. Enumerable.Range(0, PartitionMap.CountDefault).Select(i => (RedisKey)$"plain:{i}")];
    private readonly RedisValue _record = Bytes(RecordBytes);
    private readonly RedisValue _fact = Bytes(FactBytes);
    private long _count;

    private PlainStore(IDatabase database) => _database = database;

    public static async Task<PlainStore> ConnectAsync(string connectionString) =>
        new((await ConnectionMultiplexer.ConnectAsync(connectionString)).GetDatabase());

    public async Task<UpReply> KeepAsync()
    {
        var count = Interlocked.Increment(ref _count);
        await _database.HashSetAsync(
            _partitions[count % _partitions.Length],
            [
                new HashEntry((count % Records).ToString(CultureInfo.InvariantCulture), _record),
                new HashEntry($"f{count}", _fact),
            ]);
        return UpReply.Accepted;
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)i)];
}
