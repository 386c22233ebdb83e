using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Muster.Cli;
using Muster.Cryptography.Certificates;

namespace Muster.Scenarios.Tests;

/// <summary>The product as its users start it: the silo's own program in a process of its own, with a data folder and free ports.</summary>
internal sealed class OneProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"muster-{Guid.NewGuid():N}"[..20]);
    private readonly int[] _ports = FreePorts(5);
    private Process? _process;

    public OneProcess()
    {
        Vendor = DeviceIdentityIssuer.CreateAxis(TimeProvider.System.GetUtcNow());
        var trust = Directory.CreateDirectory(Path.Combine(_folder, "trust", "devices"));
        File.WriteAllText(Path.Combine(trust.FullName, "vendor.pem"), Vendor.TrustPem);
    }

    public DeviceIdentityIssuer Vendor { get; }

    /// <summary>Trust, the store, profiles and everything else.</summary>
    public string Folder => _folder;

    public string Profile => Path.Combine(_folder, "operators", "administrator");

    /// <summary>What the process is told beside folder and ports, from its next start.</summary>
    public Dictionary<string, string> Settings { get; } = new() { ["Logging__LogLevel__Default"] = "Warning" };

    public int MqttPort => _ports[0];

    public int HttpsPort => _ports[1];

    public int GrpcPort => _ports[2];

    /// <summary>Starts and waits until the administrator's own call is answered.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        start.Environment["Muster__Data__Directory"] = _folder;
        start.Environment["Muster__Mqtt__Port"] = $"{_ports[0]}";
        start.Environment["Muster__DeviceHttps__Port"] = $"{_ports[1]}";
        start.Environment["Muster__Grpc__Port"] = $"{_ports[2]}";
        start.Environment["Muster__Cluster__SiloPort"] = $"{_ports[3]}";
        start.Environment["Muster__Cluster__GatewayPort"] = $"{_ports[4]}";

        // A handful of devices: each wave would wait for half a minute, and rollouts here have several.
        start.Environment["Muster__Downloads__Spread"] = "00:00:01";
        foreach (var (name, value) in Settings)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("The silo did not start.");
        var output = _process.StandardOutput.ReadToEndAsync(cancellationToken);
        var deadline = Stopwatch.StartNew();
        while ((await MusterAsync("whoami")).Code != 0)
        {
            if (_process.HasExited || deadline.Elapsed > StartTimeout)
            {
                Kill();
                throw new InvalidOperationException($"The silo does not answer: {await output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process?.Kill(entireProcessTree: true);
        _process?.WaitForExit();
    }

    /// <summary>Tells it to end, as an orchestrator does; its exit code.</summary>
    public async Task<int> EndAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Runs the command line as the administrator.</summary>
    public async Task<(int Code, string Output, string Error)> MusterAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MusterCommand.RunAsync([.. arguments, "--profile", Profile, "--output", "json"], output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>The lines of a watch of devices up to the one with this text; then it is ended as Ctrl+C does.</summary>
    public async Task<List<string>> WatchAsync(string last, params string[] arguments)
    {
        using var enough = new CancellationTokenSource(StartTimeout);
        using var output = new StringWriter();
        using var error = new StringWriter();
        var shared = TextWriter.Synchronized(output);
        var watch = MusterCommand.RunAsync(
            ["devices", "watch", .. arguments, "--profile", Profile, "--output", "json"], shared, error, enough.Token);
        while (!watch.IsCompleted && !Text().Contains(last, StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }

        await enough.CancelAsync();
        Assert.True(await watch == 0, error.ToString());
        return [.. Text().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

        string Text()
        {
            // The lock that a synchronized writer takes.
            lock (shared)
            {
                return output.ToString();
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        _process?.Dispose();
        Vendor.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }
}
