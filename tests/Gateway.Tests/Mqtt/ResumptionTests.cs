using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using Muster.Gateway.Identity;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Every connect is a whole handshake, although connections share a context of OpenSSL: its own client asks.</summary>
public sealed class ResumptionTests : IDisposable
{
    private const int TlsMode = 33;
    private const int ReleaseBuffers = 0x10;
    private const int Connects = 6;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-resumption-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("-tls1_2", "mqtt")]
    [InlineData("-tls1_3", "mqtt")]
    [InlineData("-tls1_2", "https")]
    [InlineData("-tls1_3", "https")]
    public async Task Connect_ToAListenerOfDevices_IsGivenNothingToResumeBy(string version, string listener)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var port = listener == "mqtt" ? edge.MqttPort : edge.HttpsPort;
        Keep(edge.Pki);

        // The first has a context of its own, until a handshake was seen; all others share one.
        await AskAsync(port, version, "-sess_out", "first");
        Assert.True(TlsContexts.NeverResume);
        var said = await AskAsync(port, version, "-sess_out", "second");

        Assert.Contains("New, ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Reused, ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("TLS session ticket", said, StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("first")));
        Assert.False(File.Exists(PathOf("second")));
    }

    [Fact]
    public async Task Reconnect_OfTls12_IsANewSessionEachTime()
    {
        await using var edge = await DeviceEdge.StartAsync();
        Keep(edge.Pki);

        var said = await AskAsync(edge.MqttPort, "-tls1_2", "-reconnect");

        Assert.Equal(Connects, Count(said, "New, "));
        Assert.Equal(0, Count(said, "Reused, "));
    }

    /// <summary>The runtime's own server, which is told to resume: nothing but the contexts stands against it.</summary>
    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Connect_ToAServerThatWouldResume_IsGivenNothingToResumeBy(string version)
    {
        Assert.True(TlsContexts.Prepare());
        using var pki = new TestPki();
        Keep(pki);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var served = ServeAsync(listener, pki.Context);

        var said = await AskAsync(port, version, "-sess_out", "session");

        Assert.Contains("New, ", said, StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("session")));
        await served;
    }

    [Fact]
    public void Context_OfWhomever_GivesBackTheBuffersOfRecords()
    {
        Assert.True(TlsContexts.Prepare());

        var context = NewContext(TlsMethod());

        try
        {
            Assert.Equal(ReleaseBuffers, ControlContext(context, TlsMode, 0, 0) & ReleaseBuffers);
        }
        finally
        {
            FreeContext(context);
        }
    }

    private static async Task ServeAsync(TcpListener listener, SslStreamCertificateContext certificate)
    {
        using var client = await listener.AcceptTcpClientAsync(Stop);
        await using var tls = new SslStream(client.GetStream(), false, (_, device, _, _) => device is not null);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate,
                ClientCertificateRequired = true,
                AllowTlsResume = true,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            },
            Stop);

        // What was said comes behind the tickets, if there are any; then the client is closed.
        await tls.WriteAsync("well"u8.ToArray(), Stop);
    }

    private void Keep(TestPki pki)
    {
        using var certificate = pki.Issue(Samples.Serial);
        File.WriteAllText(PathOf("device.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("device.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Connects, says a line that no listener understands, and reads until it is closed.</summary>
    private async Task<string> AskAsync(int port, params string[] arguments)
    {
        string[] all =
        [
            "s_client", "-connect", $"127.0.0.1:{port}", "-servername", "localhost", "-cert", "device.pem", "-key", "device.key",
            "-ign_eof", .. arguments,
        ];
        var start = new ProcessStartInfo("openssl", all)
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Timeout);
        using var process = Process.Start(start) ?? throw new InvalidOperationException("openssl did not start.");
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.StandardInput.WriteAsync("no packet, and no request\r\n\r\n");
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return said + await error;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [DllImport("libssl.so.3", EntryPoint = "TLS_method")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint TlsMethod();

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint NewContext(nint method);

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_ctrl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint ControlContext(nint context, int command, nint number, nint argument);

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void FreeContext(nint context);
}
