namespace Muster.Load.Servers;

/// <summary>A listener that does the product's handshake and nothing else: every CONNECT gets the same CONNACK.</summary>
internal sealed class BareTls : IContestant
{
    private readonly ServerProcess _process;
    private readonly string _folder;

    private BareTls(ServerProcess process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
    }

    public string Name => "bare_tls";

    public int Port { get; }

    public string ServerCaFile => Path.Combine(_folder, "server-ca.pem");

    public int[] Processes => [_process.Id];

    public static async Task<BareTls> StartAsync(Workplace place, string assembly, TimeProvider clock)
    {
        var port = ServerProcess.FreePort();
        var folder = place.NewFolder($"bare-tls-{port}");
        Directory.CreateDirectory(Path.Combine(folder, "trust"));
        File.Copy(place.TrustFile, Path.Combine(folder, "trust", "vendor.pem"));
        var environment = new Dictionary<string, string>
        {
            ["Bench__Directory"] = folder,
            ["Bench__TlsPort"] = $"{port}",
        };
        var process = ServerProcess.Start(Path.Combine(folder, "host.log"), environment, "dotnet", assembly);
        await process.ListeningAsync(port, clock);
        return new BareTls(process, folder, port);
    }

    public void Dispose() => _process.Dispose();
}
