using System.Net;
using Google.Protobuf;
using Muster.Cli.Session;
using Muster.Protocol.V1;
using Muster.Testing.Stores;

namespace Muster.Scenarios.Tests;

/// <summary>A store of its own that fails while the command line works.</summary>
public sealed class StoreOutageTests
{
    private const int Devices = 40;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A place in an export means nothing to a server that was restarted: the command goes on from the last mark.</summary>
    [Fact]
    public async Task Export_WhileTheStoreIsKilledAndRestarted_IsWholeAfterOneCommand()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var proxy = new CuttingProxy(new IPEndPoint(IPAddress.Loopback, redis.Port));
        await using var muster = new OneProcess();
        await StartWithAsync(muster, proxy.ConnectionString);
        for (var i = 0; i < Devices; i++)
        {
            var created = await muster.MusterAsync(
                "devices", "create", $"ACCC8E{i:X6}", "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
            Assert.True(created.Code == 0, created.Error);
        }

        // Devices are in the file by then; their warranties are not.
        proxy.CutReplyTo("muster.warranty/default/*"u8);
        var file = Path.Combine(muster.Folder, "tenant.export");
        var export = MusterProgram.RunAsync(muster.Profile, "admin", "export", file, "--output", "json");
        while (proxy.Cuts == 0)
        {
            Assert.False(export.IsCompleted, "It ended before the store was killed.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancel);
        }

        // Who asks now is told that the store is away, and so was the export, which asked before.
        await redis.KillAsync(Cancel);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(ExitCodes.Unreachable, (await muster.MusterAsync("devices", "list")).Code);
        }

        Assert.False(export.IsCompleted, "It did not wait for the store to come back.");
        await redis.RestartAsync(Cancel);
        var (code, output, error) = await export;

        Assert.True(code == 0, output + error);
        var keys = await RecordsAsync(file);
        Assert.Equal(keys.Count, keys.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal((Devices, Devices), (CountOf(keys, "muster.device/"), CountOf(keys, "muster.warranty/")));
        Assert.Contains("muster.operator/default/administrator", keys);
    }

    /// <summary>The first start, on the embedded store, makes the certificates: a silo with a Redis has to be given them.</summary>
    private static async Task StartWithAsync(OneProcess muster, string connectionString)
    {
        await muster.StartAsync(Cancel);
        muster.Kill();
        muster.Settings["Muster__Store__ConnectionString"] = connectionString;
        muster.Settings["Muster__Store__Partitions"] = "16";
        muster.Settings["Muster__Store__AttemptsMax"] = "1";
        muster.Settings["Muster__Edge__Enabled"] = "true";
        muster.Settings["Muster__Health__Port"] = $"{OneProcess.FreePorts(1)[0]}";
        await muster.StartAsync(Cancel);
    }

    private static int CountOf(List<string> keys, string prefix) => keys.Count(key => key.StartsWith(prefix, StringComparison.Ordinal));

    private static async Task<List<string>> RecordsAsync(string file)
    {
        var keys = new List<string>();
        await using var content = File.OpenRead(file);
        using var reader = new BinaryReader(content);
        while (content.Position < content.Length)
        {
            var part = ExportPart.Parser.ParseFrom(ByteString.CopyFrom(reader.ReadBytes(reader.Read7BitEncodedInt())));
            keys.AddRange(part.Records?.Records.Select(record => record.Key) ?? []);
        }

        return keys;
    }
}
