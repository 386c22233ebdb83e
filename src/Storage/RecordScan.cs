using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>One step of a scan of a partition's records.</summary>
/// <param name="Pairs">Field and value by turns.</param>
/// <param name="Next">Null behind the last step.</param>
internal readonly record struct RecordScan(RedisValue[] Pairs, string? Next)
{
    private const string FirstCursor = "0";

    /// <summary>The step after <paramref name="after"/>, empty for the first.</summary>
    /// <exception cref="ScanBrokenException">The steps before were answered by another run of the server.</exception>
    public static async Task<RecordScan> StepAsync(
        StoreConnection connection, int partition, string pattern, string after, CancellationToken cancellationToken)
    {
        var (begunIn, cursor, removed) = after.Split(' ') is [var first, var second, var third]
            ? (first, second, third)
            : (null, FirstCursor, "0");
        RedisValue[] values = [cursor, pattern, CommitLimits.ScanFieldsPerStep, removed];
        var step = await RunAsync(connection, partition, values, cancellationToken);
        if (begunIn is not null && begunIn != step.Run)
        {
            throw new ScanBrokenException(
                $"The store was restarted, or another server took over, while partition {partition} was scanned: begin again.");
        }

        return new RecordScan(step.Pairs, step.Next == FirstCursor ? null : $"{step.Run} {step.Next} {step.Removed}");
    }

    /// <summary>The id of the run of the server that has the partition, with the one field that every server finds at once.</summary>
    public static async Task<string> GetRunAsync(StoreConnection connection, int partition, CancellationToken cancellationToken) =>
        (await RunAsync(connection, partition, [FirstCursor, RecordLayout.InstallationField, 1, "0"], cancellationToken)).Run;

    private static async Task<(string Run, string Next, string Removed, RedisValue[] Pairs)> RunAsync(
        StoreConnection connection, int partition, RedisValue[] values, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [RecordLayout.PartitionKey(partition)];
        var reply = await connection.RunAsync(
            database => StoreScript.Scan.EvaluateAsync(database, keys, values), cancellationToken);
        if ((RedisResult[]?)reply is not { Length: 5 } parts)
        {
            throw new InvalidDataException($"The scan of partition {partition} was answered with {reply.Resp2Type}.");
        }

        connection.Verify(partition, (RedisValue)parts[1]);
        return ((string)parts[0]!, (string)parts[2]!, (string)parts[3]!, (RedisValue[]?)parts[4] ?? []);
    }
}
