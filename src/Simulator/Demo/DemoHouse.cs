using System.Net.Sockets;
using Muster.Simulator.Vendor;

namespace Muster.Simulator.Demo;

/// <summary>Muster's one process and a fleet, started for one run and stopped after it.</summary>
internal sealed class DemoHouse(string silo, string data, ScenarioPlan plan, IStage stage, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StartPoll = TimeSpan.FromMilliseconds(100);

    private readonly DemoPorts _ports = DemoPorts.Take();
    private DemoProcess? _host;
    private DemoProcess? _fleet;
    private bool _isKept;

    private string Api => $"https://localhost:{_ports.Grpc}";

    /// <summary>Starts the host, and gives the work a way to start the fleet; ends the work when one of them ends.</summary>
    public async Task RunAsync(
        Func<Installation, Func<Task>, CancellationToken, Task> work, bool keep, CancellationToken cancellationToken)
    {
        using var run = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var site = Installation.In(data, Api);
        try
        {
            stage.Heading($"Start, in {data}");
            MakeVendor(site);
            _host = DemoProcess.Start("Muster", Path.Combine(data, "silo.log"), HostSettings(), [silo], () => Cancel(run));
            await ListeningAsync(site, run.Token);
            await work(site, () => StartFleet(site, run), run.Token);
            _isKept = keep;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new[] { _host, _fleet }.FirstOrDefault(process => process is { HasEnded: true })?.Fault()
                ?? new DemoFaultException("a call of the API was cancelled");
        }
        finally
        {
            End(site);
        }
    }

    public void Dispose()
    {
        Stop();
        _fleet?.Dispose();
        _host?.Dispose();
        _ports.Dispose();
    }

    private void End(Installation site)
    {
        if (!_isKept)
        {
            Stop();
            stage.Heading($"Data and logs: {data}");
            return;
        }

        stage.Heading("Muster and the fleet go on.");
        stage.Tell($"operators    {Api}");
        stage.Tell($"devices      MQTT localhost:{_ports.Mqtt}, HTTPS localhost:{_ports.Https}");
        stage.Tell($"try          dotnet run --project src/Cli -- devices list --profile {site.ProfileFolder}");
        stage.Tell($"data, logs   {data}");
        stage.Tell($"stop         kill {_fleet?.Id} {_host?.Id}");
    }

    private void Stop()
    {
        if (!_isKept)
        {
            _fleet?.Stop();
            _host?.Stop();
        }
    }

    private void MakeVendor(Installation site)
    {
        VendorPki.Create(site.PkiFolder, time.GetUtcNow());
        foreach (var kind in new[] { "devices", "images" })
        {
            var trust = Directory.CreateDirectory(Path.Combine(data, "trust", kind)).FullName;
            foreach (var pem in Directory.EnumerateFiles(Path.Combine(site.PkiFolder, "trust", kind)))
            {
                File.Copy(pem, Path.Combine(trust, Path.GetFileName(pem)));
            }
        }
    }

    private Task StartFleet(Installation site, CancellationTokenSource run)
    {
        string[] arguments =
        [
            typeof(DemoHouse).Assembly.Location, "fleet", "--pki", site.PkiFolder, "--devices", $"{plan.Devices}",
            "--mqtt", $"localhost:{_ports.Mqtt}", "--https", $"localhost:{_ports.Https}",
            "--server-ca", Path.Combine(site.ProfileFolder, "server-ca.pem"), "--log", site.FleetLog,
            "--state", Path.Combine(data, "fleet.state"), "--model", Ground.Model,
            "--fault", $"{BreakStep.FaultOf(plan.Broken)}", "--misfits",
        ];
        _fleet = DemoProcess.Start(
            "the fleet", Path.Combine(data, "fleet.log"), new Dictionary<string, string>(), arguments, () => Cancel(run));
        return Task.CompletedTask;
    }

    private Dictionary<string, string> HostSettings() => new()
    {
        ["Muster__Data__Directory"] = data,
        ["Muster__Mqtt__Port"] = $"{_ports.Mqtt}",
        ["Muster__DeviceHttps__Port"] = $"{_ports.Https}",
        ["Muster__Grpc__Port"] = $"{_ports.Grpc}",
        ["Muster__Cluster__SiloPort"] = $"{_ports.Silo}",
        ["Muster__Cluster__GatewayPort"] = $"{_ports.Gateway}",

        // A demo's waves are of dozens: they need no half minute.
        ["Muster__Downloads__Spread"] = "00:00:02",
    };

    private async Task ListeningAsync(Installation site, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ;)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", _ports.Grpc, cancellationToken);
                if (File.Exists(Path.Combine(site.ProfileFolder, "server-ca.pem")))
                {
                    return;
                }
            }
            catch (SocketException)
            {
                // Not yet.
            }

            if (time.GetElapsedTime(started) > StartPatience)
            {
                throw new DemoFaultException($"Muster did not listen within {StartPatience.TotalSeconds} s; its log is in {data}");
            }

            await Task.Delay(StartPoll, time, cancellationToken);
        }
    }

    private static void Cancel(CancellationTokenSource run)
    {
        try
        {
            run.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run is over: this end was wanted.
        }
    }
}
