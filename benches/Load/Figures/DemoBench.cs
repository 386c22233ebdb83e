using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Muster.Load.Figures;

/// <summary>What the demo is run with.</summary>
internal sealed record DemoPlan(int Devices, string SiloAssembly, string SimulatorAssembly)
{
    public const int DevicesSmall = 200;

    /// <summary>The goals are 90 s for up to 200 devices, and 15 minutes within 8 GiB for up to 10,000.</summary>
    public double SecondsMax => Devices <= DevicesSmall ? 90 : 900;

    public const double GibMax = 8;
}

/// <summary>The demo as a user runs it once it is built: from the start of its process to its end.</summary>
internal sealed class DemoBench(DemoPlan plan, RunRecord record, TimeProvider clock)
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(1);

    public async Task RunAsync()
    {
        var data = Directory.CreateTempSubdirectory("muster-bench-");
        try
        {
            var started = clock.GetTimestamp();
            using var process = Process.Start(new ProcessStartInfo(
                "dotnet",
                [
                    plan.SimulatorAssembly, "demo", "--silo", plan.SiloAssembly, "--devices", $"{plan.Devices}", "--json",
                    "--data", data.FullName,
                ]) { RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var memory = await WatchMemoryAsync(process);
            var seconds = clock.GetElapsedTime(started).TotalSeconds;
            var summary = (await output).TrimEnd().Split('\n')[^1];
            record.Note(summary);
            var isSound = process.ExitCode == 0 && ViolationsOf(summary) == 0;
            record.Add(Figure.AtMost($"demo_{plan.Devices}_seconds", seconds, "s", plan.SecondsMax, isSound));
            record.Add(Figure.AtMost($"demo_{plan.Devices}_memory", memory / (double)(1L << 30), "GiB", DemoPlan.GibMax, isSound));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    /// <summary>The peak of what host and fleet hold together, while the demo runs.</summary>
    private async Task<long> WatchMemoryAsync(Process demo)
    {
        var ended = demo.WaitForExitAsync();
        var peak = 0L;
        while (await Task.WhenAny(ended, Task.Delay(SampleInterval, clock)) != ended)
        {
            peak = Math.Max(peak, ResidentBytesBelow(demo.Id));
        }

        return peak;
    }

    private static long ResidentBytesBelow(int parent)
    {
        var total = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                // After the name in parentheses: state, parent, ...; the 22nd of them is the resident set in pages.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                if (int.Parse(fields[1], CultureInfo.InvariantCulture) == parent)
                {
                    total += long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
                }
            }
            catch (IOException)
            {
                // It ended in between.
            }
        }

        return total;
    }

    private static long ViolationsOf(string summary)
    {
        try
        {
            using var json = JsonDocument.Parse(summary);
            return json.RootElement.GetProperty("violations").GetInt64();
        }
        catch (JsonException)
        {
            return -1;
        }
    }
}
