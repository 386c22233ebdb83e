using System.Diagnostics;
using System.Text.Json;

namespace Muster.Scenarios.Tests;

/// <summary>The demo as its users run it, as a process of its own.</summary>
internal sealed class DemoProgram : IAsyncDisposable
{
    /// <summary>A run takes some twelve seconds on an idle machine; <c>./demo</c> builds before it, a minute and more.</summary>
    private static readonly TimeSpan RunTimeout = TimeSpan.FromSeconds(400);

    private readonly Process _process;

    private DemoProgram(Process process) => _process = process;

    public int Id => _process.Id;

    public static string NewFolder() => Path.Combine(Path.GetTempPath(), $"muster-{Guid.NewGuid():N}"[..20]);

    /// <summary>The verb <c>demo</c> with the silo that was built with this test.</summary>
    public static DemoProgram Start(params string[] arguments) => StartWith(Built("Silo"), arguments);

    public static DemoProgram StartWith(string silo, params string[] arguments) =>
        StartProgram("dotnet", [Built("Simulator"), "demo", "--silo", silo, .. arguments]);

    public static DemoProgram StartProgram(string program, IEnumerable<string> arguments) => new(
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
        ?? throw new InvalidOperationException($"'{program}' did not start."));

    /// <summary>A line of the progress, which goes to stderr.</summary>
    public async Task ReadUntilAsync(string line, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RunTimeout);
        while (await _process.StandardError.ReadLineAsync(limit.Token) is { } read)
        {
            if (read == line)
            {
                return;
            }
        }

        throw new InvalidOperationException($"The demo ended without '{line}'.");
    }

    public async Task<DemoResult> EndAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RunTimeout);
        var output = _process.StandardOutput.ReadToEndAsync(limit.Token);
        var progress = _process.StandardError.ReadToEndAsync(limit.Token);
        await _process.WaitForExitAsync(limit.Token);
        return new DemoResult(_process.ExitCode, await output, await progress);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A program from its own output folder: beside the test lie only what the test's frameworks do not bring.</summary>
    public static string Built(string project)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(own.Parent!.Parent!.FullName, project, own.Name, $"Muster.{project}.dll");
    }
}

/// <param name="Code">The exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Progress">Standard error.</param>
internal sealed record DemoResult(int Code, string Output, string Progress)
{
    private const string Mark = "VIOLATION ";

    /// <summary>The checks that failed, by name.</summary>
    public IReadOnlyList<string> FailedChecks =>
    [
        .. Progress.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith(Mark, StringComparison.Ordinal))
            .Select(line => line[Mark.Length..line.IndexOf(':', StringComparison.Ordinal)])
            .Distinct(),
    ];

    /// <summary>A count of the last line.</summary>
    public double Count(string name)
    {
        using var summary = JsonDocument.Parse(Output.TrimEnd().Split('\n')[^1]);
        return summary.RootElement.GetProperty(name).GetDouble();
    }
}
