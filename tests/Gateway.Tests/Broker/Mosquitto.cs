using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Broker;

/// <summary>How devices come to a gateway.</summary>
public enum DeviceWay
{
    /// <summary>To its own listener.</summary>
    Listener,

    /// <summary>Through a shared broker.</summary>
    Broker,
}

/// <summary>
/// Debian's mosquitto with the files of <c>docs/operations/mosquitto</c>, of which nothing is changed but ports and folders.
/// </summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    private const string Program = "/usr/sbin/mosquitto";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-mosquitto-");
    private readonly X509Certificate2 _gatewayRoot;
    private readonly int _gatewayPort;
    private Process? _process;

    private Mosquitto(bool retains = false, bool checksRevocations = false)
    {
        (DevicePort, _gatewayPort) = (FreePort(), FreePort());
        _gatewayRoot = CreateRoot("Test gateway CA");
        Write("fleet-ca.pem", Pki.Fleet.CertificatePem);
        Write("gateway-ca.pem", _gatewayRoot.ExportCertificatePem());
        Write("broker.pem", Pki.ServerPem);
        Write("broker.key", Pki.ServerKeyPem);
        Write("server-ca.pem", Pki.ServerCaPem);
        WriteRevocations([]);
        Directory.CreateDirectory(DataFolder);
        foreach (var name in new[] { "muster.conf", "devices.acl", "gateways.acl" })
        {
            var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Broker", "mosquitto", name));
            Write(name, text.Replace("/etc/mosquitto/muster", _folder.FullName, StringComparison.Ordinal)
                .Replace("/var/lib/mosquitto/", DataFolder, StringComparison.Ordinal)
                .Replace("retain_available false", retains ? "" : "retain_available false", StringComparison.Ordinal)
                .Replace("#crlfile", checksRevocations ? "crlfile" : "#crlfile", StringComparison.Ordinal)
                .Replace("listener 8883", $"listener {DevicePort} 127.0.0.1", StringComparison.Ordinal)
                .Replace("listener 8884", $"listener {_gatewayPort} 127.0.0.1", StringComparison.Ordinal));
        }

        // As root it would become another user, who may not read the files of this test.
        File.AppendAllText(Path.Combine(_folder.FullName, "muster.conf"), $"\nuser {Environment.UserName}\n");
    }

    /// <summary>Its server certificate, and the fleet CA whose certificates it takes from devices.</summary>
    public TestPki Pki { get; } = new();

    public int DevicePort { get; }

    /// <summary>The listener for gateways.</summary>
    public int GatewayPort => _gatewayPort;

    public bool IsRunning => _process is { HasExited: false };

    private string DataFolder => Path.Combine(_folder.FullName, "data/");

    /// <summary>Its files are there, and it is not.</summary>
    public static Mosquitto Create() => new();

    /// <param name="retains">True for one that keeps retained messages, against the advice of the documents.</param>
    /// <param name="checksRevocations">True for one that reads the fleet CA's revocation list.</param>
    public static async Task<Mosquitto> StartAsync(bool retains = false, bool checksRevocations = false)
    {
        var broker = new Mosquitto(retains, checksRevocations);
        await broker.RunAsync();
        return broker;
    }

    public async Task RunAsync()
    {
        var start = new ProcessStartInfo(Program, ["-c", Path.Combine(_folder.FullName, "muster.conf")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        var lines = new List<string>();
        _process.ErrorDataReceived += (_, line) => lines.Add(line.Data ?? "");
        _process.OutputDataReceived += (_, line) => lines.Add(line.Data ?? "");
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Eventually.TrueAsync(
            () => IsOpen(_gatewayPort) || (_process.HasExited ? throw new InvalidOperationException(string.Join('\n', lines)) : false),
            "the broker's listener");
    }

    /// <summary>The list that Muster publishes of its fleet CA, in the broker's form.</summary>
    /// <param name="revoked">Certificates of tombstones.</param>
    /// <param name="age">Since it was signed.</param>
    public void WriteRevocations(X509Certificate2[] revoked, TimeSpan age = default)
    {
        var now = TimeProvider.System.GetUtcNow() - age;
        var list = StatusRules.Next(null, Pki.Fleet.Generation, [.. revoked.Select(certificate => new RevokedCertificate(
            CertificateSerial.Of(certificate.SerialNumberBytes.Span),
            Pki.Fleet.Generation,
            RevocationCause.Decommissioned,
            now.AddMinutes(-1),
            certificate.NotAfter))], now);
        Write("fleet-ca.crl", PemEncoding.WriteString("X509 CRL", Pki.Fleet.SignList(list).AsSpan()));
    }

    /// <summary>As <c>systemctl reload</c> does.</summary>
    public void Reload() => Process.Start("kill", ["-HUP", $"{_process!.Id}"]).WaitForExit();

    /// <summary>SIGKILL: what it did not write is lost.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Until what it has on its disk names this.</summary>
    public Task SavedAsync(string text) => Eventually.TrueAsync(
        () => File.Exists(Path.Combine(DataFolder, "mosquitto.db"))
            && File.ReadAllBytes(Path.Combine(DataFolder, "mosquitto.db")).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text)) >= 0,
        $"'{text}' on the broker's disk");

    /// <summary>A gateway's configuration, with a certificate of its own.</summary>
    public (string Key, string Value)[] Settings(string clientId)
    {
        using var certificate = IssueGateway(_gatewayRoot, clientId);
        return Settings(clientId, certificate);
    }

    public (string Key, string Value)[] Settings(string clientId, X509Certificate2 certificate) =>
    [
        ("Muster:Broker:Address", "localhost"),
        ("Muster:Broker:Port", $"{_gatewayPort}"),
        ("Muster:Broker:CaFile", Path.Combine(_folder.FullName, "server-ca.pem")),
        ("Muster:Broker:CertificateFile", Write($"{clientId}.pem", certificate.ExportCertificatePem())),
        ("Muster:Broker:KeyFile", Write($"{clientId}.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())),
        ("Muster:Broker:ClientId", clientId),
    ];

    /// <summary>A gateway's certificate of somebody else's CA.</summary>
    public static X509Certificate2 IssueStranger()
    {
        using var root = CreateRoot("Somebody else's CA");
        return IssueGateway(root, "stranger");
    }

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        _process?.Dispose();
        _gatewayRoot.Dispose();
        Pki.Dispose();
        _folder.Delete(recursive: true);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static bool IsOpen(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static X509Certificate2 CreateRoot(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        return Portable(request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(2)));
    }

    private static X509Certificate2 IssueGateway(X509Certificate2 root, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .Create(root, now.AddHours(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return Portable(certificate.CopyWithPrivateKey(key));
    }

    private static X509Certificate2 Portable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
}
