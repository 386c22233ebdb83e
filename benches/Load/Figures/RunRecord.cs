using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Muster.Load.Servers;

namespace Muster.Load.Figures;

/// <summary>The lines of one run, printed as they come and kept in a file with what the machine is.</summary>
internal sealed class RunRecord(string area, TextWriter output, TimeProvider clock)
{
    private readonly List<string> _lines = [];
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();

    public void Add(Figure figure) => Add(figure.ToString());

    public void Note(string text) => Add("# " + text);

    /// <summary>Writes the file; answers with its name.</summary>
    public async Task<string> SaveAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var commit = await FirstLineAsync("git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*");
        var name = string.Create(CultureInfo.InvariantCulture, $"{area}-{_startedAt:yyyyMMdd-HHmmss}.txt");
        string[] machine =
        [
            $"area: {area}",
            string.Create(CultureInfo.InvariantCulture, $"started: {_startedAt:u}"),
            $"commit: {commit}",
            $"processors: {Environment.ProcessorCount}, generator and servers share them",
            $"processor: {ReadField("/proc/cpuinfo", "model name")}",
            $"memory: {ReadField("/proc/meminfo", "MemTotal")}",
            $"kernel: {RuntimeInformation.OSDescription}",
            $"runtime: {RuntimeInformation.FrameworkDescription}",
            $"mosquitto: {await FirstLineAsync(Mosquitto.Program, "-h")}",
            $"redis: {await FirstLineAsync(Redis.Program, "--version")}",
            "",
        ];
        await File.WriteAllLinesAsync(Path.Combine(folder, name), machine.Concat(_lines));
        return name;
    }

    private void Add(string line)
    {
        _lines.Add(line);
        output.WriteLine(line);
    }

    private static string ReadField(string file, string field)
    {
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal));
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static async Task<string> FirstLineAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            var text = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return text.Split('\n')[0].Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "not installed";
        }
    }
}
