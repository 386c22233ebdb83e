using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>One step of a scan of a partition's records.</summary>
/// <param name="Pairs">Field and value by turns.</param>
/// <param name="Next">Null behind the last step.</param>
internal readonly record struct RecordScan(RedisValue[] Pairs, string? Next)
{
    /// <summary>The step after <paramref name="after"/>, empty for the first.</summary>
    public static async Task<RecordScan> StepAsync(
        StoreConnection connection, int partition, string pattern, string after, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        if (after.Length == 0)
        {
            var installation = await connection.RunAsync(
                database => database.HashGetAsync(key, RecordLayout.InstallationField), cancellationToken);
            connection.Verify(partition, installation);
        }

        object[] command = [key, after.Length == 0 ? "0" : after, "MATCH", pattern, "COUNT", CommitLimits.ScanFieldsPerStep];
        var reply = await connection.RunAsync(database => database.ExecuteAsync("HSCAN", command), cancellationToken);
        if ((RedisResult[]?)reply is not { Length: 2 } parts)
        {
            throw new InvalidDataException($"The scan of partition {partition} was answered with {reply.Resp2Type}.");
        }

        var next = (string)parts[0]!;
        return new RecordScan((RedisValue[]?)parts[1] ?? [], next == "0" ? null : next);
    }
}
