namespace Muster.Load.Servers;

/// <summary>The product's listener without a grain behind it.</summary>
internal sealed class BareGateway : IContestant
{
    private readonly ServerProcess _process;
    private readonly string _folder;

    private BareGateway(ServerProcess process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
    }

    public string Name => "bare";

    public int Port { get; }

    public string ServerCaFile => Path.Combine(_folder, "server-ca.pem");

    public int[] Processes => [_process.Id];

    public static async Task<BareGateway> StartAsync(Workplace place, string assembly, TimeProvider clock)
    {
        var folder = place.NewFolder("bare");
        Directory.CreateDirectory(Path.Combine(folder, "trust"));
        File.Copy(place.TrustFile, Path.Combine(folder, "trust", "vendor.pem"));
        var port = ServerProcess.FreePort();
        var environment = new Dictionary<string, string>(MusterHost.Pace)
        {
            ["Bench__Directory"] = folder,
            ["Muster__Mqtt__Port"] = $"{port}",
        };
        var process = ServerProcess.Start(Path.Combine(folder, "host.log"), environment, "dotnet", assembly);
        await process.ListeningAsync(port, clock);
        return new BareGateway(process, folder, port);
    }

    public void Dispose() => _process.Dispose();
}
