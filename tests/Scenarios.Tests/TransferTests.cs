using Google.Protobuf;
using Muster.Protocol.V1;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A fleet in the middle of a rollout, exported while it works; the store and the images are lost; the export is taken in, with the process
/// killed on the way: the rollout goes on, and nothing is installed twice.
/// </summary>
public sealed class TransferTests
{
    private const int Devices = 12;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tenant_ExportedInMidRolloutAndImportedInAnEmptyStore_GoesOn()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
        await PrepareAsync(muster);
        await DoAsync(muster, "rollouts", "start", "spring");
        await FleetLog.SeenAsync(muster, "installed", 2, Cancel);

        var export = await ExportInTwoPartsAsync(muster);
        var token = await ResumeTokenAsync(muster);
        muster.Kill();
        LoseStore(muster);
        await ImportAwayFromDevicesAsync(muster, export);
        await muster.StartAsync(Cancel);

        await UntilAsync(
            async () => (await DoAsync(muster, "rollouts", "get", "spring")).Split("ROLLOUT_STATE_SUCCEEDED").Length - 1, atLeast: 1);
        await UntilAsync(() => CountAsync(muster, "os_version = \"12.11.78\""), Devices);
        var installs = await FleetLog.EventsAsync(muster, "installed", Cancel);
        Assert.Equal(Devices, installs.Count);
        Assert.Equal(Devices, installs.Distinct(StringComparer.Ordinal).Count());
        Assert.Contains("P3265-V", await DoAsync(muster, "products", "list"), StringComparison.Ordinal);
        await DoAsync(muster, "admin", "verify");

        // The feeds begin anew: what a watch had seen of the old ones says nothing about these.
        var resumed = await muster.MusterAsync("devices", "watch", "--resume", token);
        Assert.Contains("RESUME_TOKEN_EXPIRED", resumed.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// Another number of partitions: rollouts stay behind, also of a device that was in the middle of one. It must not wait for what never
    /// comes, and a rollout of the same name is another one.
    /// </summary>
    [Fact]
    public async Task Tenant_ImportedWithoutItsRollouts_IsFreeForNewOnes()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        await using (SimulatorProgram.StartFleet(muster, Devices))
        {
            await PrepareAsync(muster);
        }

        await DoAsync(muster, "rollouts", "start", "spring");
        await StopInMidChangeAsync(muster);
        var export = Path.Combine(muster.Folder, "tenant.export");
        await DoAsync(muster, "admin", "export", export);
        muster.Kill();
        LoseStore(muster);
        muster.Settings["Muster__Store__Partitions"] = "32";
        await muster.StartAsync(Cancel);

        var refused = await muster.MusterAsync("admin", "import", export);
        var imported = await DoAsync(muster, "admin", "import", export, "--without-rollouts");

        Assert.Contains("leave the rollouts out", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\"left\"", imported, StringComparison.Ordinal);
        Assert.Equal(Devices, await CountAsync(muster, "state = IN_SERVICE"));
        Assert.Equal(0, await CountAsync(muster, "rollout = spring OR last_rollout = spring"));
        Assert.DoesNotContain("spring", await DoAsync(muster, "rollouts", "list"), StringComparison.Ordinal);
        await DoAsync(muster, "admin", "verify");

        await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
        await DoAsync(muster, "rollouts", "create", "spring", "--image", await DigestAsync(muster), "--wave", "100%");
        await DoAsync(muster, "rollouts", "start", "spring");
        await UntilAsync(() => CountAsync(muster, "os_version = \"12.11.78\""), Devices);
        await UntilAsync(
            async () => (await DoAsync(muster, "rollouts", "get", "spring")).Split("ROLLOUT_STATE_SUCCEEDED").Length - 1, atLeast: 1);
        Assert.Equal(0, await CountAsync(muster, "rollout = spring"));
    }

    /// <summary>The fleet is away, and at least one of its devices has a change that is not over.</summary>
    private static async Task StopInMidChangeAsync(OneProcess muster)
    {
        do
        {
            await using var fleet = SimulatorProgram.StartFleet(muster, Devices);
            await UntilAsync(() => CountAsync(muster, "rollout = spring"), atLeast: 1);
        }
        while (await CountAsync(muster, "rollout = spring") == 0);
    }

    private static async Task<string> ResumeTokenAsync(OneProcess muster)
    {
        using var channel = OperatorChannel.Open(muster);
        using var call = new Muster.Protocol.V1.Devices.DevicesClient(channel).WatchDevices(
            new WatchDevicesRequest { Parent = "tenants/default" }, cancellationToken: Cancel);
        while (await call.ResponseStream.MoveNext(Cancel))
        {
            if (call.ResponseStream.Current.ResumeToken is { Length: > 0 } token)
            {
                return token;
            }
        }

        throw new InvalidOperationException("The watch ended without a marker.");
    }

    private static async Task PrepareAsync(OneProcess muster)
    {
        for (var i = 0; i < Devices; i++)
        {
            await DoAsync(
                muster, "devices", "create", $"ACCC8E{i:X6}", "--model", "P3265-V", "--warranty-start", "2026-01-01",
                "--warranty-months", "60");
        }

        await DoAsync(muster, "products", "create", "P3265-V", "--os-support-ends", "2040-01-01");
        var file = ImageOf(muster);
        await SimulatorProgram.MakeImageAsync(muster, file, 700_000, Cancel);
        await DoAsync(
            muster, "images", "import", file, "--signature", file + ".cms", "--version", "12.11.78", "--track", "active",
            "--model", "P3265-V");
        await UntilAsync(() => CountAsync(muster, "state = IN_SERVICE"), Devices);
        await DoAsync(
            muster, "rollouts", "create", "spring", "--image", await DigestAsync(muster), "--wave", "3:100:20s", "--wave", "100%",
            "--max-unavailable", "1");
    }

    private static string ImageOf(OneProcess muster) => Path.Combine(muster.Folder, "os.bin");

    private static async Task<string> DigestAsync(OneProcess muster) => Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(ImageOf(muster), Cancel)));

    /// <summary>The first try breaks off: a part of its file is torn away, and it goes on from the last mark that is left.</summary>
    private static async Task<string> ExportInTwoPartsAsync(OneProcess muster)
    {
        var whole = Path.Combine(muster.Folder, "whole.export");
        await DoAsync(muster, "admin", "export", whole);
        var export = Path.Combine(muster.Folder, "tenant.export");
        var bytes = await File.ReadAllBytesAsync(whole, Cancel);
        await File.WriteAllBytesAsync(export + ".part", bytes[..(bytes.Length - 3_000)], Cancel);

        await DoAsync(muster, "admin", "export", export);

        var again = await muster.MusterAsync("admin", "export", export);
        Assert.Equal(2, again.Code);
        return export;
    }

    private static void LoseStore(OneProcess muster)
    {
        Directory.Delete(Path.Combine(muster.Folder, "store"), recursive: true);
        Directory.Delete(Path.Combine(muster.Folder, "artifacts"), recursive: true);
    }

    /// <summary>Devices say hello at once; one that comes before its record would not be known.</summary>
    private static async Task ImportAwayFromDevicesAsync(OneProcess muster, string export)
    {
        var ports = OneProcess.FreePorts(2);
        muster.Settings["Muster__Mqtt__Port"] = $"{ports[0]}";
        muster.Settings["Muster__DeviceHttps__Port"] = $"{ports[1]}";
        await muster.StartAsync(Cancel);
        await ImportHalfAsync(muster, export);
        muster.Kill();
        await muster.StartAsync(Cancel);
        var torn = Path.Combine(muster.Folder, "torn.export");
        await File.WriteAllBytesAsync(torn, (await File.ReadAllBytesAsync(export, Cancel))[..^200], Cancel);
        Assert.Equal(2, (await muster.MusterAsync("admin", "import", torn)).Code);

        var imported = await DoAsync(muster, "admin", "import", export);

        Assert.Contains("\"complete\":true", imported.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("\"left\"", imported, StringComparison.Ordinal);
        var twice = await muster.MusterAsync("admin", "import", export);
        Assert.Contains("TENANT_NOT_EMPTY", twice.Error, StringComparison.Ordinal);
        muster.Kill();
        muster.Settings.Remove("Muster__Mqtt__Port");
        muster.Settings.Remove("Muster__DeviceHttps__Port");
    }

    /// <summary>Sends parts until the server has answered that some records are there.</summary>
    private static async Task ImportHalfAsync(OneProcess muster, string export)
    {
        using var channel = OperatorChannel.Open(muster);
        using var call = new Transfers.TransfersClient(channel).ImportTenant(cancellationToken: Cancel);
        await using var file = File.OpenRead(export);
        using var reader = new BinaryReader(file);
        var written = 0L;
        while (written < Devices / 2)
        {
            var part = ByteString.CopyFrom(reader.ReadBytes(reader.Read7BitEncodedInt()));
            await call.RequestStream.WriteAsync(new ImportTenantRequest { Part = part }, Cancel);
            if (ExportPart.Parser.ParseFrom(part).Mark is not null)
            {
                Assert.True(await call.ResponseStream.MoveNext(Cancel));
                written = call.ResponseStream.Current.Written;
            }
        }
    }

    private static async Task<int> CountAsync(OneProcess muster, string filter) =>
        (await DoAsync(muster, "devices", "list", "--filter", filter)).Split("\"name\"").Length - 1;

    private static async Task<string> DoAsync(OneProcess muster, params string[] arguments)
    {
        var (code, output, error) = await muster.MusterAsync(arguments);
        Assert.True(code == 0, string.Join(' ', arguments) + ": " + output + error);
        return output;
    }

    private static async Task UntilAsync(Func<Task<int>> count, int atLeast)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        enough.CancelAfter(TimeSpan.FromMinutes(2));
        while (await count() < atLeast)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), enough.Token);
        }
    }
}
