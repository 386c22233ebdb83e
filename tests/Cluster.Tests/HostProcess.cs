using System.Diagnostics;

namespace Muster.Cluster.Tests;

/// <summary>One of Muster's programs as a process of its own, with its output in a file.</summary>
internal sealed class HostProcess : IDisposable
{
    private const int LastLines = 40;

    private readonly string _log;
    private readonly Process _process;

    private HostProcess(string name, string log, Process process) => (Name, _log, _process) = (name, log, process);

    public string Name { get; }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>In the program's own output folder: a copy beside the tests would run with their packages.</summary>
    public static string Assembly(string name)
    {
        var mine = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(mine.Parent!.Parent!.FullName, name, mine.Name, $"Muster.{name}.dll");
    }

    /// <summary>Starts <c>dotnet ASSEMBLY ARGUMENTS</c> with nothing of this process's settings but what is given.</summary>
    public static HostProcess Start(
        string name, string assembly, string folder, IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        // The shell keeps the output in a file without a reader in this process, and then becomes the program.
        var log = Path.Combine(folder, $"{name}.log");
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = folder };
        foreach (var argument in new[] { "-c", "exec dotnet \"$@\" >\"$0\" 2>\"$0.err\" </dev/null", log, assembly }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        return new HostProcess(name, log, Process.Start(start) ?? throw new InvalidOperationException($"{name} did not start."));
    }

    /// <summary>Stands still, as on a machine that hangs, or goes on.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public async Task<int> WaitForExitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public string Output() => File.Exists(_log) ? File.ReadAllText(_log) : "";

    public string Error() => File.Exists(_log + ".err") ? File.ReadAllText(_log + ".err") : "";

    /// <summary>The end of what it said, for a test that failed.</summary>
    public string Tail() =>
        $"{Name}:{Environment.NewLine}" + string.Join(Environment.NewLine, (Output() + Error()).Split('\n').TakeLast(LastLines));

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
