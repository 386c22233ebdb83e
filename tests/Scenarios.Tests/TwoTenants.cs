using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Cli;
using Muster.Cryptography.Certificates;

namespace Muster.Scenarios.Tests;

/// <summary>The product with a second tenant, <c>acme</c>: each has a TLS server name and an administrator of its own.</summary>
internal sealed class TwoTenants : IAsyncDisposable
{
    public const string DefaultName = "muster.localhost";

    public const string AcmeName = "acme.localhost";

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-tenants-").FullName;

    public OneProcess Process { get; } = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<TwoTenants> StartAsync()
    {
        var site = new TwoTenants();
        site.Process.Settings["Muster__Tenants__0__Name"] = "default";
        site.Process.Settings["Muster__Tenants__0__ServerNames__0"] = DefaultName;
        site.Process.Settings["Muster__Tenants__1__Name"] = "acme";
        site.Process.Settings["Muster__Tenants__1__ServerNames__0"] = AcmeName;
        await site.Process.StartAsync(CancellationToken.None);
        return site;
    }

    /// <summary>Kills it as a power cut does, and starts it again on what is on the disk.</summary>
    public async Task KillAndStartAsync()
    {
        Process.Kill();
        await Process.StartAsync(Stop);
    }

    public string In(string file) => Path.Combine(_folder, file);

    /// <summary>Certificate and key of a device as files: <c>{name}.pem</c> and <c>{name}.key</c>.</summary>
    public async Task WriteAsync(string name, IssuedCertificate device)
    {
        await File.WriteAllTextAsync(In($"{name}.pem"), device.CertificatePem, Stop);
        await File.WriteAllTextAsync(In($"{name}.key"), device.KeyPem, Stop);
    }

    /// <summary>As the installation's administrator; has to succeed.</summary>
    public async Task<string> MusterAsync(params string[] arguments)
    {
        var (code, output, error) = await Process.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    /// <summary>As acme's administrator; has to succeed.</summary>
    public async Task<string> AcmeAsync(params string[] arguments)
    {
        var (code, output, error) = await CallAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    /// <summary>As acme's administrator; has to be refused: what he is told.</summary>
    public async Task<string> RefusedAsync(params string[] arguments)
    {
        var (code, _, error) = await CallAsync(arguments);
        Assert.Equal(1, code);
        return error;
    }

    /// <summary>Connects by a server name and says hello: what the server answered and why, or how the handshake ended.</summary>
    public async Task<(string Code, string Reason)> HelloAsync(string serverName, string serial, string device = "device")
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        using var certificate = X509Certificate2.CreateFromPemFile(In($"{device}.pem"), In($"{device}.key"));
        using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Process.Folder, "pki", "server-ca.pem"));
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", Process.MqttPort)
            .WithClientId(serial)
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
                return (connected.ResultCode.ToString(), connected.ReasonString ?? "");
            }

            var hello = new MqttApplicationMessageBuilder()
                .WithTopic($"muster/v1/devices/{serial}/up/hello")
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .WithPayload(
                    $$"""
                    {"stamp":{"bootId":"boot-1","sequence":1},"serial":"{{serial}}","model":"A1","osVersion":"12.11.70",
                     "secureBoot":true,"factoryDefault":true}
                    """)
                .Build();
            var published = await client.PublishAsync(hello, Stop);
            return (published.ReasonCode.ToString(), published.ReasonString ?? "");
        }
        catch (Exception fault) when (fault is MqttCommunicationException or IOException or AuthenticationException)
        {
            return ("handshake", "");
        }
    }

    /// <summary>The first answer to a hello that is this one: a gateway hears of new anchors within seconds.</summary>
    public async Task AwaitAsync(string serverName, string serial, Func<(string Code, string Reason), bool> expected)
    {
        var waited = TimeProvider.System.GetTimestamp();
        for (var answer = ("", ""); !expected(answer = await HelloAsync(serverName, serial));)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(waited) < Timeout, answer.ToString());
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(int Code, string Output, string Error)> CallAsync(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var profile = Path.Combine(Process.Folder, "operators", "acme", "administrator");
        var code = await MusterCommand.RunAsync([.. arguments, "--profile", profile, "--output", "json"], output, error, Stop);
        return (code, output.ToString(), error.ToString());
    }
}
