using System.Diagnostics;
using System.Globalization;
using Muster.EmbeddedStore;

namespace Muster.Redis.Tests;

/// <summary>kill -9: the recovery tests of the commit (invariants I1 and I6 for a crash of the process).</summary>
public sealed class CrashTests
{
    private const int Rounds = 5;
    private const string WriterProgram = "Muster.StoreWriter.dll";

    /// <summary>Long enough for hundreds of shared log commits.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EmbeddedStore_KilledWhileWriting_KeepsWhatWasAcknowledgedAndTearsNothing()
    {
        var folder = Directory.CreateTempSubdirectory("muster-crash-");
        var ledger = new Ledger();
        for (var round = 0; round < Rounds; round++)
        {
            var before = ledger.Total;

            await RunWriterUntilKilledAsync(folder.FullName, ledger);

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

    private static async Task RunWriterUntilKilledAsync(string folder, Ledger ledger)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, WriterProgram));
        start.ArgumentList.Add(folder);
        using var writer = Process.Start(start) ?? throw new InvalidOperationException("The writer did not start.");
        var first = await writer.StandardOutput.ReadLineAsync(Cancel);
        var killing = KillLaterAsync(writer);
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

    private static async Task KillLaterAsync(Process writer)
    {
        await Task.Delay(RoundTime, Cancel);
        writer.Kill();
    }
}
