using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>What the demo does at its edges, and the script itself.</summary>
[Collection(nameof(DemoProgram))]
public sealed class DemoTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Script_TwentyDevices_EndsWithAllCounts()
    {
        var folder = DemoProgram.NewFolder();
        await using var demo = DemoProgram.StartProgram(
            Path.Combine(Repository(), "demo"), ["--devices", "20", "--json", "--data", folder]);

        var result = await demo.EndAsync(Cancel);

        Assert.True(result.Code == 0, result.Progress);
        Assert.Equal(4, result.Count("refused"));
        Assert.Equal(0, result.Count("violations"));
        Assert.True(result.Count("seconds") > 0);
        string[] counts =
        [
            "devices", "enrolled", "updated", "boot_confirmed", "compliant", "configured", "decommissioned", "tombstone_refused",
        ];
        Assert.All(counts, count => Assert.Equal(20, result.Count(count)));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Demo_InAFolderThatIsNotEmpty_SaysSoAndLeavesItAlone()
    {
        var folder = Directory.CreateDirectory(DemoProgram.NewFolder()).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "kept"), "text", Cancel);
        await using var demo = DemoProgram.Start("--json", "--data", folder);

        var result = await demo.EndAsync(Cancel);

        Assert.Equal(1, result.Code);
        Assert.Equal(1, result.Count("violations"));
        Assert.Contains("is not empty", result.Progress, StringComparison.Ordinal);
        Assert.Equal("kept", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(folder))));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Demo_HostThatEndsAtOnce_ShowsTheEndOfItsLog()
    {
        var folder = DemoProgram.NewFolder();
        await using var demo = DemoProgram.StartWith("absent.dll", "--json", "--data", folder);

        var result = await demo.EndAsync(Cancel);

        Assert.Equal(1, result.Code);
        Assert.Equal(1, result.Count("violations"));
        Assert.Contains("Muster ended with exit code", result.Progress, StringComparison.Ordinal);
        Assert.Contains("absent.dll", result.Progress, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Muster.", result.Progress, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Demo_Interrupted_StopsWhatItStarted()
    {
        var folder = DemoProgram.NewFolder();
        await using var demo = DemoProgram.Start("--devices", "2", "--json", "--data", folder);
        await demo.ReadUntilAsync("Policy and image", Cancel);
        Assert.NotEmpty(ProcessesOf(folder));

        using var interrupt = Process.Start("kill", ["-INT", $"{demo.Id}"]);
        var result = await demo.EndAsync(Cancel);

        Assert.Equal(1, result.Code);
        Assert.Equal(["run"], result.FailedChecks);
        Assert.Empty(ProcessesOf(folder));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Processes with the folder among their arguments or settings, but for the demo itself, which is over.</summary>
    private static List<string> ProcessesOf(string folder) =>
        [.. Directory.EnumerateDirectories("/proc").Where(process => char.IsAsciiDigit(Path.GetFileName(process)[0]))
            .Where(process => Read(process, "cmdline").Contains("fleet", StringComparison.Ordinal)
                ? Read(process, "cmdline").Contains(folder, StringComparison.Ordinal)
                : Read(process, "environ").Contains($"Muster__Data__Directory={folder}", StringComparison.Ordinal))];

    private static string Read(string process, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, file));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }
}
