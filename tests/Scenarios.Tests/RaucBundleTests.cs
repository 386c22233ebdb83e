using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Muster.Scenarios.Tests;

/// <summary>A bundle of Debian's <c>rauc</c> through the whole product: imported, listed, rolled out, downloaded, verified.</summary>
public sealed class RaucBundleTests
{
    private const string Compatible = "Foo Camera";
    private const string Version = "12.11.80";

    /// <summary>The first device of a simulated fleet.</summary>
    private const string Serial = "ACCC8E000000";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bundle_ImportedAndRolledOut_IsListedAndRunsOnTheDevice()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Stop);
        var bundle = await MakeBundleAsync(muster, "verity");
        var digest = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(bundle, Stop)));
        await muster.StartAsync(Stop);
        await JsonAsync(
            muster, "devices", "create", Serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");

        var imported = await JsonAsync(muster, Import(bundle, "rauc-verity", "--compatible", Compatible));
        var listed = await JsonAsync(muster, "images", "list", "--filter", "format=rauc-verity");
        var got = await JsonAsync(muster, "images", "get", digest);
        await using var fleet = SimulatorProgram.StartFleet(muster, devices: 1);
        await FleetLog.SeenAsync(muster, "hello_acked", 1, Stop);
        await JsonAsync(muster, "rollouts", "create", "bundle", "--image", digest, "--wave", "100%");
        await JsonAsync(muster, "rollouts", "start", "bundle");
        await FleetLog.SeenAsync(muster, "installed", 1, Stop);

        Assert.Equal($"tenants/default/images/{digest}", imported.GetProperty("name").GetString());
        Assert.Equal("IMAGE_FORMAT_RAUC_VERITY", listed.GetProperty("format").GetString());
        Assert.Equal(Compatible, listed.GetProperty("compatible").GetString());
        Assert.Equal("rootfs", got.GetProperty("slots")[0].GetProperty("name").GetString());
        Assert.Equal([Serial], await FleetLog.EventsAsync(muster, "installed", Stop));
    }

    [Fact]
    public async Task Bundle_StatedOtherwiseOrChanged_IsRefusedAndLeavesNothing()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Stop);
        var verity = await MakeBundleAsync(muster, "verity");
        var plain = await MakeBundleAsync(muster, "plain");
        var changed = verity + ".changed";
        var bytes = await File.ReadAllBytesAsync(verity, Stop);
        bytes[5_000] ^= 1;
        await File.WriteAllBytesAsync(changed, bytes, Stop);
        await muster.StartAsync(Stop);

        await RefusedAsync(muster, "IMAGE_BUNDLE_CORRUPT", Import(changed, "rauc-verity", "--compatible", Compatible));
        await RefusedAsync(muster, "IMAGE_BUNDLE_MISMATCH", Import(verity, "rauc-verity", "--compatible", "Bar Camera"));
        await RefusedAsync(muster, "IMAGE_BUNDLE_MISMATCH", Import(verity, "rauc-plain"));
        await RefusedAsync(muster, "IMAGE_UNSIGNED", Import(verity, "detached"));
        await RefusedAsync(muster, "REQUEST_INVALID", Import(verity, "rauc-verity"));
        var none = await muster.MusterAsync("images", "list");
        var imported = await JsonAsync(muster, Import(plain, "rauc-plain"));

        Assert.Equal("", none.Output);
        Assert.Equal("IMAGE_FORMAT_RAUC_PLAIN", imported.GetProperty("format").GetString());
    }

    private static string[] Import(string file, string format, params string[] more) =>
        ["images", "import", file, "--format", format, "--version", Version, "--track", "active", "--model", "P3265-V", .. more];

    /// <summary>Signed by the vendor whose image root the installation trusts.</summary>
    private static async Task<string> MakeBundleAsync(OneProcess muster, string format)
    {
        var content = Directory.CreateDirectory(Path.Combine(muster.Folder, format)).FullName;
        await File.WriteAllBytesAsync(Path.Combine(content, "rootfs.img"), RandomNumberGenerator.GetBytes(600_000), Stop);
        await File.WriteAllTextAsync(
            Path.Combine(content, "manifest.raucm"),
            $"[update]\ncompatible={Compatible}\nversion={Version}\n\n[bundle]\nformat={format}\n\n[image.rootfs]\nfilename=rootfs.img\n",
            Stop);
        var (images, bundle) = (Path.Combine(muster.Folder, "vendor", "images"), content + ".raucb");
        using var rauc = Process.Start(new ProcessStartInfo(
            "rauc",
            ["bundle", $"--cert={Path.Combine(images, "signer.pem")}", $"--key={Path.Combine(images, "signer.key")}", content, bundle])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var said = await rauc.StandardError.ReadToEndAsync(Stop);
        await rauc.WaitForExitAsync(Stop);
        Assert.True(rauc.ExitCode == 0, said);
        return bundle;
    }

    private static async Task RefusedAsync(OneProcess muster, string reason, string[] arguments)
    {
        var result = await muster.MusterAsync(arguments);
        Assert.Equal((1, ""), (result.Code, result.Output));
        Assert.StartsWith(reason + ": ", result.Error, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> JsonAsync(OneProcess muster, params string[] arguments)
    {
        var result = await muster.MusterAsync(arguments);
        Assert.True(result.Code == 0, $"{string.Join(' ', arguments)}: {result.Error}");
        return JsonDocument.Parse(result.Output.Split('\n')[0]).RootElement;
    }
}
