using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>The command line as people and scripts run it: a program of its own, with its streams and its exit code.</summary>
internal static class MusterProgram
{
    /// <summary>Where its own build put it: beside these tests are ASP.NET's libraries, which the program does not have.</summary>
    public static readonly string Assembly = Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "..", "..", "Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "muster.dll"));

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<(int Code, string Output, string Error)> RunAsync(string profile, params string[] arguments)
    {
        using var process = Start(profile, arguments);
        var output = process.StandardOutput.ReadToEndAsync(Stop);
        var error = process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop).WaitAsync(Timeout, Stop);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command that goes on, reads one line of what it says, and ends it as Ctrl+C does.</summary>
    public static async Task<(int Code, string Line)> WatchAsync(string profile, params string[] arguments)
    {
        using var process = Start(profile, arguments);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(Stop).AsTask().WaitAsync(Timeout, Stop);
            using var interrupt = Process.Start("kill", ["-INT", $"{process.Id}"]);
            await interrupt.WaitForExitAsync(Stop);
            await process.WaitForExitAsync(Stop).WaitAsync(Timeout, Stop);
            return (process.ExitCode, line ?? "");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(string profile, string[] arguments)
    {
        string[] all = [Assembly, .. arguments];
        var start = new ProcessStartInfo("dotnet", all) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MUSTER_PROFILE"] = profile;
        return Process.Start(start)!;
    }
}
