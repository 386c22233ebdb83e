using System.Security.Cryptography;

namespace Muster.Scenarios.Tests;

/// <summary>kill -9 while an image is uploaded: half an image is none, and the same request again gives it once.</summary>
public sealed class UploadCrashTests
{
    private const int ImageBytes = 4 << 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Image_KilledDuringItsUpload_IsTakenOnceWhenUploadedAgain()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        var file = Path.Combine(muster.Folder, "large.bin");
        await SimulatorProgram.MakeImageAsync(muster, file, ImageBytes, Cancel);
        var content = await File.ReadAllBytesAsync(file, Cancel);
        var upload = new ImageUpload(muster, content, await File.ReadAllBytesAsync(file + ".cms", Cancel));
        var digest = Convert.ToHexStringLower(SHA256.HashData(content));

        await upload.BreakOffAsync(() => KillAndStartAsync(muster), Cancel);
        Assert.DoesNotContain(digest, await ListAsync(muster), StringComparison.Ordinal);
        var name = await upload.SendAsync(Cancel);
        await KillAndStartAsync(muster);
        var again = await upload.SendAsync(Cancel);

        Assert.EndsWith(digest, name, StringComparison.Ordinal);
        Assert.Equal(name, again);
        Assert.Single((await ListAsync(muster)).Split(name)[1..]);
    }

    [Fact]
    public async Task Import_KilledInTheMiddle_GoesOnWhereItStopped()
    {
        await using var muster = new OneProcess();
        await SimulatorProgram.MakeVendorAsync(muster, Cancel);
        await muster.StartAsync(Cancel);
        var file = Path.Combine(muster.Folder, "large.bin");
        await SimulatorProgram.MakeImageAsync(muster, file, ImageBytes, Cancel);
        var content = await File.ReadAllBytesAsync(file, Cancel);
        var upload = new ImageUpload(muster, content, await File.ReadAllBytesAsync(file + ".cms", Cancel));
        var name = $"tenants/default/images/{Convert.ToHexStringLower(SHA256.HashData(content))}";

        var received = await upload.BreakOffContinuedAsync(name, () => KillAndStartAsync(muster), Cancel);
        var imported = await muster.MusterAsync(
            "images", "import", file, "--signature", file + ".cms", "--version", "12.11.78", "--track", "active", "--model", "P3265-V");

        Assert.Equal(content.Length / 2, received);
        Assert.True(imported.Code == 0, imported.Error);
        Assert.Contains($"goes on at byte {received} of {content.Length}", imported.Error, StringComparison.Ordinal);
        Assert.Contains(name, await ListAsync(muster), StringComparison.Ordinal);
    }

    private static async Task<string> ListAsync(OneProcess muster)
    {
        var listed = await muster.MusterAsync("images", "list");
        Assert.True(listed.Code == 0, listed.Error);
        return listed.Output;
    }

    private static async Task KillAndStartAsync(OneProcess muster)
    {
        muster.Kill();
        await muster.StartAsync(Cancel);
    }
}
