using System.Diagnostics;

namespace Muster.Simulator.Demo;

/// <summary>A program that the demo starts, with its output in a file.</summary>
internal sealed class DemoProcess : IDisposable
{
    private const int LastLines = 15;

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    private readonly string _name;
    private readonly string _log;
    private readonly Process _process;

    private DemoProcess(string name, string log, Process process) => (_name, _log, _process) = (name, log, process);

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Starts <c>dotnet ASSEMBLY ARGUMENTS</c>; <paramref name="ended"/> is called when it ends, for whatever reason.</summary>
    public static DemoProcess Start(
        string name, string log, IReadOnlyDictionary<string, string> settings, IEnumerable<string> arguments, Action ended)
    {
        // The shell keeps the output in a file without a reader in this process, and then becomes the program.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in new[] { "-c", "exec dotnet \"$@\" >\"$0\" 2>&1 </dev/null", log }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) => ended();
        process.Start();
        return new DemoProcess(name, log, process);
    }

    /// <summary>What it says at its end, for people.</summary>
    public DemoFaultException Fault()
    {
        var lines = File.Exists(_log) ? File.ReadLines(_log).TakeLast(LastLines) : [];
        return new DemoFaultException(
            $"{_name} ended with exit code {_process.ExitCode}; the end of {_log}:{Environment.NewLine}"
            + string.Join(Environment.NewLine, lines.Select(line => "    " + line)));
    }

    /// <summary>At once: what was acknowledged is on disk.</summary>
    public void Stop()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(StopPatience);
        }
    }

    public void Dispose() => _process.Dispose();
}
