using System.Diagnostics;
using System.Globalization;
using Muster.EmbeddedStore;

namespace Muster.Redis.Tests;

/// <summary>kill -9: the recovery tests of the commit (invariants I1 and I6 for a crash of the process).</summary>
public sealed class CrashTests
{
    private const int Rounds = 5;
    private const int PointsDefault = 10;
    private const string WriterProgram = "Muster.StoreWriter.dll";

    /// <summary>Long enough for hundreds of shared log commits.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// Killed at random moments while checkpoints are taken and the log is truncated all the time. MUSTER_CRASH_ROUNDS runs more rounds.
    /// </summary>
    [Fact]
    public async Task EmbeddedStore_KilledWhileCheckpointing_KeepsWhatWasAcknowledgedAndTearsNothing()
    {
        var folder = Directory.CreateTempSubdirectory("muster-crash-");
        var rounds = int.Parse(
            Environment.GetEnvironmentVariable("MUSTER_CRASH_ROUNDS") ?? $"{Rounds}", CultureInfo.InvariantCulture);
        var ledger = new Ledger();
        for (var round = 0; round < rounds; round++)
        {
            var time = TimeSpan.FromMilliseconds(Random.Shared.Next(1_200, 3_000));

            await RunWriterUntilKilledAsync(folder.FullName, ledger, time, "frequent-checkpoints");

            await using var server = EmbeddedStoreServer.Start(folder.FullName, LogLimits.Frequent, null);
            await using var session = StoreSession.Open(server.ConnectionString, server);
            await ledger.VerifyAsync(session, Cancel);
        }

        Assert.True(ledger.Total > 0, "The writer acknowledged nothing.");
        Assert.Contains(
            Directory.EnumerateFiles(folder.FullName, "*", SearchOption.AllDirectories),
            file => file.Contains("checkpoint", StringComparison.OrdinalIgnoreCase));
        TestContext.Current.TestOutputHelper?.WriteLine($"{ledger.Total} acknowledged in {rounds} rounds.");
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task EmbeddedStore_KilledWhileWriting_KeepsWhatWasAcknowledgedAndTearsNothing()
    {
        var folder = Directory.CreateTempSubdirectory("muster-crash-");
        var ledger = new Ledger();
        for (var round = 0; round < Rounds; round++)
        {
            var before = ledger.Total;

            await RunWriterUntilKilledAsync(folder.FullName, ledger, RoundTime);

            Assert.True(ledger.Total > before, "The writer acknowledged nothing.");
            await using var server = EmbeddedStoreServer.Start(folder.FullName);
            await using var session = StoreSession.Open(server.ConnectionString, server);
            await ledger.VerifyAsync(session, Cancel);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{ledger.Total} acknowledged in {Rounds} rounds.");
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Redis_KilledWhileWritingWithAppendFsyncAlways_KeepsWhatWasAcknowledgedAndTearsNothing()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = StoreSession.Open(redis.ConnectionString);
        var ledger = new Ledger();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writers = Enumerable.Range(0, NoteWriter.RecordsTotal)
            .Select(number => new NoteWriter(session, number).RunAsync(version => ledger.AcknowledgeAsync(number, version), stop.Token))
            .ToArray();

        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                await ledger.WaitUntilMoreThanAsync(ledger.Total, Cancel);
                await Task.Delay(RoundTime, Cancel);
                await redis.RestartAsync(Cancel);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(writers);
        }

        await redis.RestartAsync(Cancel);
        TestContext.Current.TestOutputHelper?.WriteLine($"{ledger.Total} acknowledged in {Rounds} rounds.");
        await using var fresh = StoreSession.Open(redis.ConnectionString);
        await ledger.VerifyAsync(fresh, Cancel);
    }

    /// <summary>
    /// Killed at random points under load, and every record's version compared with the feed after each of them. MUSTER_CRASH_POINTS runs
    /// more of them: 1,000 take half an hour.
    /// </summary>
    [Fact]
    public async Task Redis_KilledAtRandomPoints_HasEveryRecordWhereItsFeedIs()
    {
        var points = int.Parse(
            Environment.GetEnvironmentVariable("MUSTER_CRASH_POINTS") ?? $"{PointsDefault}", CultureInfo.InvariantCulture);
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        var ledger = new Ledger();
        for (var point = 0; point < points; point++)
        {
            await using var session = StoreSession.Open(redis.ConnectionString);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var before = ledger.Total;
            var writers = Enumerable.Range(0, NoteWriter.RecordsTotal)
                .Select(number => new NoteWriter(session, number).RunAsync(version => ledger.AcknowledgeAsync(number, version), stop.Token))
                .ToArray();
            await ledger.WaitUntilMoreThanAsync(before, Cancel);
            await Task.Delay(Random.Shared.Next(200), Cancel);
            await redis.RestartAsync(Cancel);
            await stop.CancelAsync();
            await Task.WhenAll(writers);

            await using var fresh = StoreSession.Open(redis.ConnectionString);
            await ledger.VerifyRetainedAsync(fresh, Cancel);
            for (var partition = 0; partition < StoreSession.Partitions; partition++)
            {
                await fresh.Trimmer.TrimAsync(partition, Cancel);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{ledger.Total} acknowledged, killed at {points} points.");
    }

    private static async Task RunWriterUntilKilledAsync(string folder, Ledger ledger, TimeSpan time, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, WriterProgram));
        foreach (var argument in (string[])[folder, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var writer = Process.Start(start) ?? throw new InvalidOperationException("The writer did not start.");
        var first = await writer.StandardOutput.ReadLineAsync(Cancel);
        var killing = KillLaterAsync(writer, time);
        for (var line = first; line is not null; line = await writer.StandardOutput.ReadLineAsync(Cancel))
        {
            // The last line may be cut off by the kill; a line counts only when it is whole.
            if (line.Split(' ') is [var number, var version])
            {
                await ledger.AcknowledgeAsync(
                    int.Parse(number, CultureInfo.InvariantCulture), long.Parse(version, CultureInfo.InvariantCulture));
            }
        }

        await killing;
        await writer.WaitForExitAsync(Cancel);
    }

    private static async Task KillLaterAsync(Process writer, TimeSpan time)
    {
        await Task.Delay(time, Cancel);
        writer.Kill();
    }
}
