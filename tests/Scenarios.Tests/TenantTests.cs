using System.Diagnostics;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Cli;
using Muster.Cryptography.Certificates;

namespace Muster.Scenarios.Tests;

/// <summary>A second tenant in one installation: its own administrator, its own makers, its own devices by its own server name.</summary>
public sealed class TenantTests : IAsyncLifetime
{
    private const string Serial = "ACME-000001";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly OneProcess _muster = new();
    private readonly DeviceIdentityIssuer _maker = DeviceIdentityIssuer.Create("Acme", TimeProvider.System.GetUtcNow());
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-tenants-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string AcmeProfile => Path.Combine(_muster.Folder, "operators", "acme", "administrator");

    public async ValueTask InitializeAsync()
    {
        _muster.Settings["Muster__Tenants__0__Name"] = "default";
        _muster.Settings["Muster__Tenants__0__ServerNames__0"] = "muster.localhost";
        _muster.Settings["Muster__Tenants__1__Name"] = "acme";
        _muster.Settings["Muster__Tenants__1__ServerNames__0"] = "acme.localhost";
        await _muster.StartAsync(CancellationToken.None);
        var issued = _maker.Issue(Serial, TimeProvider.System.GetUtcNow());
        await File.WriteAllTextAsync(In("device.pem"), issued.CertificatePem, Stop);
        await File.WriteAllTextAsync(In("device.key"), issued.KeyPem, Stop);
        await File.WriteAllTextAsync(In("acme.pem"), _maker.TrustPem, Stop);
    }

    [Fact]
    public async Task SecondTenant_OfOneInstallation_HasItsOwnDevicesAndOperators()
    {
        await AcmeAsync("anchors", "add", "acme", In("acme.pem"), "--device-profile", "ieee8021ar");
        await AcmeAsync("devices", "create", Serial, "--model", "A1", "--warranty-start", "2026-01-01", "--warranty-months", "60");

        var waited = Stopwatch.StartNew();
        for (var answer = ""; (answer = await HelloAsync("acme.localhost")) != "Success";)
        {
            Assert.True(waited.Elapsed < Timeout, answer);
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }

        Assert.Contains("IN_SERVICE", await AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);
        Assert.Contains("tenants/acme/devices", await AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);

        // A stranger under the other tenant's name, and under a name that is nobody's.
        Assert.Equal("NotAuthorized", await HelloAsync("muster.localhost"));
        Assert.Equal("handshake", await HelloAsync("localhost"));
        Assert.Equal("200", await CurlAsync("acme.localhost"));
        Assert.Equal("403", await CurlAsync("muster.localhost"));
        Assert.Equal("000", await CurlAsync("localhost"));

        // Neither tenant's operators reach the other's, and only the installation's own work on all.
        var (other, _, error) = await _muster.MusterAsync("devices", "get", Serial, "--tenant", "acme");
        Assert.Equal(1, other);
        Assert.StartsWith("PERMISSION_DENIED", error, StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED", await RefusedAsync("devices", "list", "--tenant", "default"), StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED", await RefusedAsync("admin", "verify"), StringComparison.Ordinal);
        Assert.Equal("", await MusterAsync("anchors", "list"));
        Assert.Contains("/anchors/acme", await AcmeAsync("anchors", "list", "--tenant", "acme"), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _muster.DisposeAsync();
        _maker.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string In(string file) => Path.Combine(_folder, file);

    private async Task<string> MusterAsync(params string[] arguments)
    {
        var (code, output, error) = await _muster.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<string> AcmeAsync(params string[] arguments)
    {
        var (code, output, error) = await CallAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<string> RefusedAsync(params string[] arguments)
    {
        var (code, _, error) = await CallAsync(arguments);
        Assert.Equal(1, code);
        return error;
    }

    private async Task<(int Code, string Output, string Error)> CallAsync(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MusterCommand.RunAsync([.. arguments, "--profile", AcmeProfile, "--output", "json"], output, error, Stop);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Connects by a server name and says hello: what the server answered, or how the handshake ended.</summary>
    private async Task<string> HelloAsync(string serverName)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        using var certificate = X509Certificate2.CreateFromPemFile(In("device.pem"), In("device.key"));
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_muster.Folder, "pki", "server-ca.pem"));
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", _muster.MqttPort)
            .WithClientId(Serial)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTimeout(Timeout)
            .WithTlsOptions(tls => tls.UseTls().WithTargetHost(serverName).WithClientCertificates([certificate])
                .WithTrustChain([authority]).WithRevocationMode(X509RevocationMode.NoCheck))
            .Build();
        try
        {
            var connected = await client.ConnectAsync(options, Stop);
            if (connected.ResultCode != MqttClientConnectResultCode.Success)
            {
                return connected.ResultCode.ToString();
            }

            var hello = new MqttApplicationMessageBuilder()
                .WithTopic($"muster/v1/devices/{Serial}/up/hello")
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .WithPayload(
                    $$"""
                    {"stamp":{"bootId":"boot-1","sequence":1},"serial":"{{Serial}}","model":"A1","osVersion":"12.11.70",
                     "secureBoot":true,"factoryDefault":true}
                    """)
                .Build();
            return (await client.PublishAsync(hello, Stop)).ReasonCode.ToString();
        }
        catch (Exception fault) when (fault is MqttCommunicationException or IOException or AuthenticationException)
        {
            return "handshake";
        }
    }

    /// <summary>What curl gets by a name that it resolves itself; the server's certificate has to be of that name.</summary>
    private async Task<string> CurlAsync(string serverName)
    {
        var start = new ProcessStartInfo("curl",
        [
            "--silent", "--show-error", "--max-time", "30", "--resolve", $"{serverName}:{_muster.HttpsPort}:127.0.0.1",
            "--cacert", Path.Combine(_muster.Folder, "pki", "server-ca.pem"), "--cert", In("device.pem"), "--key", In("device.key"),
            "--output", "/dev/null", "--write-out", "%{http_code}",
            $"https://{serverName}:{_muster.HttpsPort}/.well-known/est/cacerts",
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        return await output;
    }
}
