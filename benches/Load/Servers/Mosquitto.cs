using Muster.Cryptography.Certificates;

namespace Muster.Load.Servers;

/// <summary>Debian's mosquitto, which only acknowledges: nobody subscribes, nothing is kept.</summary>
internal sealed class Mosquitto : IContestant
{
    public const string Program = "/usr/sbin/mosquitto";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    private readonly ServerProcess _process;
    private readonly string _folder;

    private Mosquitto(ServerProcess process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
    }

    public string Name => "mosquitto";

    public int Port { get; }

    public string ServerCaFile => Path.Combine(_folder, "server-ca.pem");

    public int[] Processes => [_process.Id];

    public static async Task<Mosquitto> StartAsync(Workplace place, TimeProvider clock)
    {
        var folder = place.NewFolder("mosquitto");
        using var authority = CertificateAuthority.Create("Mosquitto CA", clock.GetUtcNow(), Lifetime);
        var issued = authority.IssueServer(["localhost", "127.0.0.1"], clock.GetUtcNow(), Lifetime);
        File.WriteAllText(Path.Combine(folder, "server-ca.pem"), authority.CertificatePem);
        File.WriteAllText(Path.Combine(folder, "server.pem"), issued.CertificatePem);
        PrivateFile.Write(Path.Combine(folder, "server.key"), issued.KeyPem);
        var port = ServerProcess.FreePort();
        File.WriteAllText(
            Path.Combine(folder, "mosquitto.conf"),
            $"""
            listener {port} 127.0.0.1
            cafile {place.TrustFile}
            certfile {folder}/server.pem
            keyfile {folder}/server.key
            require_certificate true
            use_identity_as_username true
            allow_anonymous false
            set_tcp_nodelay true
            persistence false
            log_type error
            log_dest stderr
            user {Environment.UserName}

            """);
        var process = ServerProcess.Start(
            Path.Combine(folder, "host.log"), new Dictionary<string, string>(), Program, "-c", Path.Combine(folder, "mosquitto.conf"));
        await process.ListeningAsync(port, clock);
        return new Mosquitto(process, folder, port);
    }

    public void Dispose() => _process.Dispose();
}
