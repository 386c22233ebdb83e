using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Muster.Cli;
using Muster.Testing.Stores;

namespace Muster.Cluster.Tests;

/// <summary>
/// A cluster as docs/operations/cluster-by-hand.md sets it up: a Redis with a password, silos, gateways, a balancer for each protocol,
/// one folder that the hosts share, and certificates made by the silo's verb <c>pki</c>.
/// </summary>
internal sealed class ClusterSite : IAsyncDisposable
{
    /// <summary>Of all tests here: each starts up to eight programs, and side by side they would only measure each other.</summary>
    public const string Collection = "cluster";

    public const string Model = "P3265-V";

    /// <summary>Two cores start six programs; alone each takes two to four seconds.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan CommandPatience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _probe = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Dictionary<HostProcess, int> _healthPorts = [];
    private readonly List<Dictionary<string, string>> _gatewaySettings = [];
    private readonly List<HostProcess> _others = [];
    private readonly RedisServer _redis;

    private ClusterSite(RedisServer redis)
    {
        _redis = redis;
        Folder = Directory.CreateTempSubdirectory("muster-cluster-").FullName;
    }

    public string Folder { get; }

    public string DataFolder => Path.Combine(Folder, "data");

    public string VendorFolder => Path.Combine(Folder, "vendor");

    public string Profile => Path.Combine(DataFolder, "operators", "administrator");

    public string FleetLog => Path.Combine(Folder, "fleet.jsonl");

    public string ConnectionString => _redis.ConnectionString;

    /// <summary>What silos find in their environment beside their settings.</summary>
    public Dictionary<string, string> SiloEnvironment { get; } = [];

    /// <summary>What the gateway of this number is told beside its settings.</summary>
    public Func<int, IReadOnlyDictionary<string, string>> GatewayEnvironment { get; set; } = _ => new Dictionary<string, string>();

    public List<HostProcess> Silos { get; } = [];

    public List<HostProcess> Gateways { get; } = [];

    /// <summary>The gateways' MQTT ports, in their order.</summary>
    public int[] MqttPorts { get; private set; } = [];

    /// <summary>The gateways' API ports, in their order.</summary>
    public int[] GrpcPorts { get; private set; } = [];

    public Balancer Mqtt { get; private set; } = null!;

    public Balancer Https { get; private set; } = null!;

    public Balancer Grpc { get; private set; } = null!;

    public string Api => $"https://localhost:{Grpc.Port}";

    /// <summary>A Redis, certificates and a vendor; no host yet.</summary>
    public static async Task<ClusterSite> PrepareAsync(CancellationToken cancellationToken)
    {
        var site = new ClusterSite(await RedisServer.StartAsync("everysec", cancellationToken, $"secret-{Guid.NewGuid():N}"));
        await site.RunAsync("pki", "Silo", cancellationToken, "pki", Path.Combine(site.Folder, "pki"), "localhost", "127.0.0.1");
        await site.RunAsync("vendor", "Simulator", cancellationToken, "pki", "--out", site.VendorFolder);
        foreach (var kind in new[] { "devices", "images" })
        {
            var trust = Directory.CreateDirectory(Path.Combine(site.DataFolder, "trust", kind)).FullName;
            foreach (var pem in Directory.EnumerateFiles(Path.Combine(site.VendorFolder, "trust", kind)))
            {
                File.Copy(pem, Path.Combine(trust, Path.GetFileName(pem)));
            }
        }

        return site;
    }

    /// <summary>Starts all hosts at once, as a cluster does, and waits until each says that it is ready.</summary>
    public static async Task<ClusterSite> StartAsync(
        int silos, int gateways, CancellationToken cancellationToken, Func<ClusterSite, Task>? prepare = null)
    {
        var site = await PrepareAsync(cancellationToken);
        try
        {
            await (prepare?.Invoke(site) ?? Task.CompletedTask);
            var (mqtt, https, grpc) = (Ports.Free(gateways), Ports.Free(gateways), Ports.Free(gateways));
            (site.MqttPorts, site.GrpcPorts) = (mqtt, grpc);
            (site.Mqtt, site.Https, site.Grpc) = (new Balancer(mqtt), new Balancer(https), new Balancer(grpc));
            for (var i = 0; i < silos; i++)
            {
                site.Silos.Add(site.StartSilo($"silo{i}"));
            }

            for (var i = 0; i < gateways; i++)
            {
                site._gatewaySettings.Add(site.GatewaySettings(i, mqtt[i], https[i], grpc[i]));
                site.Gateways.Add(site.StartGateway(i));
            }

            foreach (var host in site.Silos.Concat(site.Gateways))
            {
                await site.WaitUntilReadyAsync(host, cancellationToken);
            }

            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a gateway that is dead again, as an orchestrator does, with what it had; ready.</summary>
    public async Task StartGatewayAgainAsync(int number, CancellationToken cancellationToken)
    {
        Gateways[number].Dispose();
        Gateways[number] = StartGateway(number);
        await WaitUntilReadyAsync(Gateways[number], cancellationToken);
    }

    /// <summary>The settings that all hosts share.</summary>
    public Dictionary<string, string> Settings(string pki) => new()
    {
        ["Muster__Data__Directory"] = DataFolder,
        ["Muster__Pki__Directory"] = Path.Combine(Folder, "pki", pki),
        ["Muster__Store__ConnectionString"] = ConnectionString,
        ["Logging__LogLevel__Default"] = "Warning",
        ["Logging__Console__FormatterName"] = "simple",
        ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
    };

    public int HealthPortOf(HostProcess host) => _healthPorts[host];

    /// <summary>The status and text of a path on the probes' port.</summary>
    public async Task<(int Status, string Text)> ProbeAsync(HostProcess host, string path, CancellationToken cancellationToken)
    {
        using var answer = await _probe.GetAsync(new Uri($"http://127.0.0.1:{_healthPorts[host]}{path}"), cancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>Runs the command line as the administrator, by way of the balancer.</summary>
    public async Task<(int Code, string Output, string Error)> MusterAsync(params string[] arguments)
    {
        PointProfileAtBalancer();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MusterCommand.RunAsync([.. arguments, "--profile", Profile, "--output", "json"], output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>The same, until it is answered: whoever calls while a silo is gone is told to call again.</summary>
    public async Task<string> InsistAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        for (var started = Stopwatch.StartNew(); ;)
        {
            var (code, output, error) = await MusterAsync(arguments);
            if (code == 0)
            {
                return output;
            }

            if (!error.Contains("TEMPORARILY_UNAVAILABLE", StringComparison.Ordinal) || started.Elapsed > CommandPatience)
            {
                throw new InvalidOperationException($"muster {string.Join(' ', arguments)}: {error}{Environment.NewLine}{Tails()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
        }
    }

    /// <summary>An image of version 12.11.77 for <see cref="Model"/>, made, signed and imported; its digest.</summary>
    public async Task<string> ImportImageAsync(CancellationToken cancellationToken)
    {
        var file = Path.Combine(Folder, "image.bin");
        var made = Start(
            "image", "Simulator", new Dictionary<string, string>(), "image", "--pki", VendorFolder, "--out", file, "--version", "12.11.77");
        Assert.Equal(0, await made.WaitForExitAsync(CommandPatience, cancellationToken));
        await InsistAsync(
            cancellationToken, "images", "import", file, "--signature", file + ".cms", "--version", "12.11.77", "--track", "active",
            "--model", Model);
        return Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, cancellationToken)));
    }

    /// <summary>How many devices match a filter.</summary>
    public async Task<int> CountAsync(string filter, CancellationToken cancellationToken)
    {
        using var answer = JsonDocument.Parse(await InsistAsync(cancellationToken, "devices", "count", "--filter", filter));
        return answer.RootElement.TryGetProperty("total", out var total) ? int.Parse(total.ToString(), CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>
    /// Runs lines of bash in this site's folder. They find <c>SILO</c>, the silo's program; when the hosts run also <c>CA</c>, <c>EST</c>
    /// and the gateways' MQTT ports <c>MQTT0</c>, <c>MQTT1</c> …
    /// </summary>
    public async Task<(int Code, string Said)> ShellAsync(
        string lines, CancellationToken cancellationToken, params (string Name, object Value)[] variables)
    {
        var start = new ProcessStartInfo("bash", ["-ec", lines])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string Name, object Value)[] mine =
            [("SILO", HostProcess.Assembly("Silo")), ("CA", Path.Combine(Profile, "server-ca.pem"))];
        var https = Https is null ? [] : new (string Name, object Value)[] { ("EST", $"https://localhost:{Https.Port}/.well-known/est") };
        var mqtt = MqttPorts.Select((port, number) => ($"MQTT{number}", (object)port));
        var silos = SiloEnvironment.Select(pair => (pair.Key, (object)pair.Value));
        foreach (var (name, value) in mine.Concat(https).Concat(mqtt).Concat(silos).Concat(variables))
        {
            start.Environment[name] = Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>A fleet as a process of its own, by way of the balancers.</summary>
    public HostProcess StartFleet(int devices, params string[] more)
    {
        var fleet = HostProcess.Start(
            "fleet",
            HostProcess.Assembly("Simulator"),
            Folder,
            new Dictionary<string, string>(),
            [
                "fleet", "--pki", VendorFolder, "--devices", devices.ToString(CultureInfo.InvariantCulture), "--mqtt",
                $"localhost:{Mqtt.Port}", "--https", $"localhost:{Https.Port}", "--server-ca", Path.Combine(Profile, "server-ca.pem"),
                "--log", FleetLog, "--state", Path.Combine(Folder, "fleet.state"), "--model", Model, .. more,
            ]);
        _others.Add(fleet);
        return fleet;
    }

    /// <summary>Any program of ours in this site's folder, ended with the site.</summary>
    public HostProcess Start(string name, string program, IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var process = HostProcess.Start(name, HostProcess.Assembly(program), Folder, settings, arguments);
        _others.Add(process);
        return process;
    }

    public string Tails() => string.Join(Environment.NewLine, Silos.Concat(Gateways).Concat(_others).Select(process => process.Tail()));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _others.Concat(Gateways).Concat(Silos))
        {
            process.Dispose();
        }

        foreach (var balancer in new[] { Mqtt, Https, Grpc }.Where(balancer => balancer is not null))
        {
            await balancer.DisposeAsync();
        }

        await _redis.DisposeAsync();
        _probe.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A host with exactly these settings, ready.</summary>
    public async Task<HostProcess> StartReadyAsync(
        string program, IReadOnlyDictionary<string, string> settings, int healthPort, CancellationToken cancellationToken)
    {
        var host = Start(program.ToLowerInvariant(), program, settings);
        _healthPorts[host] = healthPort;
        await WaitUntilReadyAsync(host, cancellationToken);
        return host;
    }

    private HostProcess StartSilo(string name)
    {
        var ports = Ports.Free(3);
        var settings = Settings("silo").Concat(SiloEnvironment).ToDictionary();
        settings["Muster__Cluster__SiloPort"] = Text(ports[0]);
        settings["Muster__Cluster__GatewayPort"] = Text(ports[1]);
        settings["Muster__Health__Port"] = Text(ports[2]);
        var silo = HostProcess.Start(name, HostProcess.Assembly("Silo"), Folder, settings);
        _healthPorts[silo] = ports[2];
        return silo;
    }

    private Dictionary<string, string> GatewaySettings(int number, int mqtt, int https, int grpc)
    {
        var settings = Settings("gateway").Concat(GatewayEnvironment(number)).ToDictionary();
        settings["Muster__Mqtt__Port"] = Text(mqtt);
        settings["Muster__DeviceHttps__Port"] = Text(https);
        settings["Muster__Grpc__Port"] = Text(grpc);
        settings["Muster__Health__Port"] = Text(Ports.Free(1)[0]);

        // A handful of devices: each wave would wait for half a minute.
        settings["Muster__Downloads__Spread"] = "00:00:01";
        return settings;
    }

    private HostProcess StartGateway(int number)
    {
        var settings = _gatewaySettings[number];
        var gateway = HostProcess.Start($"gateway{number}", HostProcess.Assembly("Gateway"), Folder, settings);
        _healthPorts[gateway] = int.Parse(settings["Muster__Health__Port"], CultureInfo.InvariantCulture);
        return gateway;
    }

    private async Task WaitUntilReadyAsync(HostProcess host, CancellationToken cancellationToken)
    {
        for (var started = Stopwatch.StartNew(); !await IsReadyAsync(host, cancellationToken);)
        {
            if (host.HasExited || started.Elapsed > StartPatience)
            {
                throw new InvalidOperationException($"{host.Name} is not ready:{Environment.NewLine}{Tails()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private async Task<bool> IsReadyAsync(HostProcess host, CancellationToken cancellationToken)
    {
        try
        {
            return (await ProbeAsync(host, "/health/ready", cancellationToken)).Status == 200;
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void PointProfileAtBalancer()
    {
        var path = Path.Combine(Profile, "profile.json");
        var mine = $$"""{"server":"{{Api}}","operator":"administrator","tenant":"default"}""";
        if (File.ReadAllText(path) != mine)
        {
            File.WriteAllText(path, mine);
        }
    }

    private async Task RunAsync(string name, string program, CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = HostProcess.Start(
            name, HostProcess.Assembly(program), Folder, new Dictionary<string, string>(), arguments);
        var code = await process.WaitForExitAsync(CommandPatience, cancellationToken);
        Assert.True(code == 0, process.Tail());
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
