using System.Diagnostics;
using System.Globalization;

namespace Muster.Load.Servers;

/// <summary>A process that tells its measurements, one per line: a name and a number.</summary>
internal static class ToldProcess
{
    public static async Task<Dictionary<string, double>> RunAsync(string assembly, bool endsByKill, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 != endsByKill
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .ToDictionary(line => line[0], line => double.Parse(line[1], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
