using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace Muster.Scenarios.Tests;

/// <summary>A verb of the simulator in a process of its own, against a <see cref="OneProcess"/>.</summary>
internal sealed class SimulatorProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _progress = Channel.CreateUnbounded<string>();
    private readonly List<string> _told = [];
    private readonly Task<string> _output;
    private readonly Task _reading;

    private SimulatorProgram(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [DemoProgram.Built("Simulator"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("The simulator did not start.");
        _output = _process.StandardOutput.ReadToEndAsync();
        _reading = ReadAsync();
    }

    /// <summary>Everything that was told so far.</summary>
    public string Progress
    {
        get
        {
            lock (_told)
            {
                return string.Join('\n', _told);
            }
        }
    }

    /// <summary>Makes a vendor in the installation's folder, and has the installation trust it from its next start.</summary>
    public static async Task MakeVendorAsync(OneProcess muster, CancellationToken cancellationToken)
    {
        var vendor = Path.Combine(muster.Folder, "vendor");
        await using (var pki = new SimulatorProgram(["pki", "--out", vendor]))
        {
            await pki._process.WaitForExitAsync(cancellationToken);
        }

        foreach (var pem in Directory.EnumerateFiles(Path.Combine(vendor, "trust"), "*.pem", SearchOption.AllDirectories))
        {
            var kind = Path.GetFileName(Path.GetDirectoryName(pem)!);
            var trust = Directory.CreateDirectory(Path.Combine(muster.Folder, "trust", kind));
            File.Copy(pem, Path.Combine(trust.FullName, "simulated-" + Path.GetFileName(pem)));
        }
    }

    /// <summary>Makes an image of random bytes that the installation's vendor signed; the signature goes to FILE.cms.</summary>
    public static async Task MakeImageAsync(
        OneProcess muster, string file, int bytes, CancellationToken cancellationToken, string version = "12.11.78")
    {
        var size = bytes.ToString(CultureInfo.InvariantCulture);
        await using var image = new SimulatorProgram(
            ["image", "--pki", Path.Combine(muster.Folder, "vendor"), "--out", file, "--size", size, "--version", version]);
        await image._process.WaitForExitAsync(cancellationToken);
    }

    /// <param name="muster">The installation.</param>
    /// <param name="devices">How many.</param>
    /// <param name="fault">What the first of them does wrong.</param>
    public static SimulatorProgram StartFleet(OneProcess muster, int devices, string fault = "None") => new(
    [
        "fleet", "--pki", Path.Combine(muster.Folder, "vendor"), "--devices", devices.ToString(CultureInfo.InvariantCulture),
        "--mqtt", $"localhost:{muster.MqttPort}", "--https", $"localhost:{muster.HttpsPort}",
        "--server-ca", Path.Combine(muster.Profile, "server-ca.pem"), "--log", FleetLog(muster),
        "--state", Path.Combine(muster.Folder, "fleet.state"), "--misfits", "--fault", fault,
    ]);

    public static SimulatorProgram StartScenario(OneProcess muster, int devices) => new(
    [
        "scenario", "--api", $"https://localhost:{muster.GrpcPort}", "--data", muster.Folder,
        "--devices", devices.ToString(CultureInfo.InvariantCulture), "--json",
    ]);

    public static string FleetLog(OneProcess muster) => Path.Combine(muster.Folder, "fleet.jsonl");

    /// <summary>Waits until a line of the progress has the text.</summary>
    public async Task SeeAsync(string text, CancellationToken cancellationToken)
    {
        await foreach (var line in _progress.Reader.ReadAllAsync(cancellationToken))
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException($"It ended without '{text}':\n{Progress}");
    }

    public async Task<DemoResult> EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _reading;
        return new DemoResult(_process.ExitCode, await _output, Progress);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_told)
            {
                _told.Add(line);
            }

            _progress.Writer.TryWrite(line);
        }

        _progress.Writer.Complete();
    }
}
