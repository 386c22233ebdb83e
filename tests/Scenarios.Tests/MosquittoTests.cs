using System.Diagnostics;
using System.Net.Sockets;
using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>
/// Runs the lines of the README's section on a device and of the guide that goes on from it, as they stand there, with Debian's
/// mosquitto clients, against the product that they start. Only the SDK's building is left out: the <c>dotnet</c> that they find
/// runs what this test was built with.
/// </summary>
public sealed class MosquittoTests : IAsyncDisposable
{
    private const string Shim = """
        #!/bin/sh
        PATH="$PATH_OF_TESTS"
        case "$*" in
            "run -c Release --project src/Silo") exec dotnet "$BUILT/Muster.Silo.dll" ;;
            "run --project src/Cli -- "*) shift 4; exec dotnet "$BUILT_CLI" "$@" ;;
        esac
        echo "The README says something new: dotnet $*" >&2
        exit 64
        """;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Blocks = GuideBlocks.Of(Section("README.md", "## A device\n", "\n## Where"));

    private static readonly string[] Guide = GuideBlocks.Of(Section("docs/developer/device-with-mosquitto.md", "## Status\n", null));

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-readme-").FullName;
    private readonly int[] _ports = OneProcess.FreePorts(5);
    private readonly List<Process> _started = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mqttv5")]
    [InlineData("mqttv311")]
    public async Task Lines_OfTheReadme_MakeADeviceThatIsExpectedReceivesAndReports(string version)
    {
        Assert.Equal(8, Blocks.Length);
        await WriteShimAsync(version);
        await RunAsync(version, Blocks[1]);
        var muster = Start(version, Blocks[2]);
        await WaitForAsync(() => IsListening(_ports[2]) && IsListening(_ports[0]), muster);

        Assert.Contains("EXPECTED", await RunAsync(version, Blocks[3]), StringComparison.Ordinal);
        var receiver = Start(version, Blocks[4]);
        await WaitForDeviceAsync(version, "\"connected\":true", receiver);
        await RunAsync(version, Blocks[5]);
        await WaitForAsync(() => receiver.Has("/down/ack {") && receiver.Has("hello"), receiver);
        await RunAsync(version, Blocks[6]);
        await WaitForAsync(() => receiver.Has("/down/desired {"), receiver);
        var device = await RunAsync(version, Blocks[7]);

        await WaitForAsync(() => receiver.Has("\"report\""), receiver);
        Assert.Contains("IN_SERVICE", device, StringComparison.Ordinal);
        Assert.Contains("DELIVERED", device, StringComparison.Ordinal);
        Assert.False(receiver.Has("rejection"), receiver.Text);
        await GoOnAsync(version, receiver);

        // The connections that published came and went; the one that receives stayed.
        Assert.False(receiver.Process.HasExited, receiver.Text);
        Assert.False(muster.Process.HasExited, muster.Text);

        // Killed without a word.
        receiver.Process.Kill(entireProcessTree: true);
        await WaitForDeviceAsync(version, "\"disconnectReason\":\"CONNECTION_LOST\"", muster);
    }

    private async Task GoOnAsync(string version, Terminal receiver)
    {
        Assert.Equal(4, Guide.Length);
        await RunAsync(version, Guide[0]);
        await RunAsync(version, Guide[1]);
        await WaitForAsync(() => receiver.Has("GENERATION_UNKNOWN"), receiver);
        var foreign = await RunAsync(version, Guide[2]);
        await WaitForAsync(() => receiver.Has("TOPIC_NOT_ALLOWED"), receiver);
        Assert.Equal(version == "mqttv5", foreign.Contains("Not authorized", StringComparison.OrdinalIgnoreCase));
        await RunAsync(version, Guide[3]);
        await WaitForDeviceAsync(version, "\"temperatureCelsius\":41.5", receiver);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Until the operator sees it: presence is told within two seconds.</summary>
    private async Task WaitForDeviceAsync(string version, string text, Terminal running)
    {
        const string Ask = "muster devices get $SERIAL --output json | tr -d ' '";
        var waited = Stopwatch.StartNew();
        while (!(await RunAsync(version, Ask)).Contains(text, StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < Timeout && !running.Process.HasExited, $"No {text}: {running.Text}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    private async Task<string> RunAsync(string version, string lines)
    {
        using var process = Launch(version, lines);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(Timeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        var text = await output + await error;
        Assert.True(process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {text}");
        return text;
    }

    private Terminal Start(string version, string lines)
    {
        var process = Launch(version, lines);
        _started.Add(process);
        return new Terminal(process);
    }

    /// <summary>A terminal of its own: the first block's lines, then these.</summary>
    private Process Launch(string version, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", Blocks[0] + lines])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder}/bin:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["PATH_OF_TESTS"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["BUILT"] = AppContext.BaseDirectory;
        start.Environment["BUILT_CLI"] = MusterProgram.Assembly;
        start.Environment["MQTT_VERSION"] = version;
        start.Environment["MQTT_PORT"] = $"{_ports[0]}";
        start.Environment["HTTPS_PORT"] = $"{_ports[1]}";
        start.Environment["Muster__Mqtt__Port"] = $"{_ports[0]}";
        start.Environment["Muster__DeviceHttps__Port"] = $"{_ports[1]}";
        start.Environment["Muster__Grpc__Port"] = $"{_ports[2]}";
        start.Environment["Muster__Cluster__SiloPort"] = $"{_ports[3]}";
        start.Environment["Muster__Cluster__GatewayPort"] = $"{_ports[4]}";
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        return Process.Start(start)!;
    }

    private static bool IsListening(int port)
    {
        using var probe = new TcpClient();
        try
        {
            probe.Connect("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task WriteShimAsync(string version)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "bin"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "bin", "dotnet"), Shim, Stop);
        await RunAsync(version, "chmod 700 bin/dotnet");
    }

    private static async Task WaitForAsync(Func<bool> holds, Terminal terminal)
    {
        var waited = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(waited.Elapsed < Timeout, $"It did not come: {terminal.Text}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), Stop);
        }
    }

    /// <summary>From a heading to before another, or to the end.</summary>
    private static string Section(string file, string from, string? until)
    {
        var text = File.ReadAllText(Path.Combine(Catalogue.Root(), file));
        var section = text[text.IndexOf(from, StringComparison.Ordinal)..];
        return until is null ? section : section[..section.IndexOf(until, StringComparison.Ordinal)];
    }

    /// <summary>A process that goes on, and what it has said so far.</summary>
    private sealed class Terminal
    {
        private readonly List<string> _lines = [];

        public Terminal(Process process)
        {
            Process = process;
            process.OutputDataReceived += (_, line) => Add(line.Data);
            process.ErrorDataReceived += (_, line) => Add(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public Process Process { get; }

        public string Text
        {
            get
            {
                lock (_lines)
                {
                    return string.Join('\n', _lines);
                }
            }
        }

        public bool Has(string text) => Text.Contains(text, StringComparison.Ordinal);

        private void Add(string? line)
        {
            lock (_lines)
            {
                _lines.Add(line ?? "");
            }
        }
    }
}
