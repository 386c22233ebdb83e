using System.Diagnostics;
using System.Globalization;

namespace Muster.Cluster.Tests;

/// <summary>What one gateway's device did ends connections at the other, and a gateway without its silo admits nobody.</summary>
[Collection(ClusterSite.Collection)]
public sealed class RevocationTests
{
    /// <summary>The maker made two certificates for one serial: before the enrolment nobody knows which of them is the device.</summary>
    private const string Second = """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -CA root.pem -CAkey root.key \
          -addext basicConstraints=critical,CA:FALSE -subj "/CN=$0/serialNumber=$0" -keyout second.key -out second.pem
        """;

    /// <summary>What mosquitto_sub says when it is in and stays: a refused subscription ends it.</summary>
    private const string Granted = "Subscribed (mid: 1): 1";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sessions_OfAnIdentityThatLostItsRight_EndAtTheOtherGatewayAndNobodyComesInWithoutASilo()
    {
        await using var site = await ClusterSite.StartAsync(silos: 1, gateways: 2, Cancel, async site =>
        {
            await QuestionTests.MakeDeviceAsync(site);
            using var made = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", Second, QuestionTests.Serial])
            {
                WorkingDirectory = site.Folder,
                RedirectStandardError = true,
            })!;
            Assert.NotEmpty(await made.StandardError.ReadToEndAsync(Cancel));
        });
        await site.InsistAsync(
            Cancel, "devices", "create", QuestionTests.Serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01",
            "--warranty-months", "60");
        using var impostor = Start(site, "mosquitto_sub", 1, "second", "", "-t", $"muster/v1/devices/{QuestionTests.Serial}/down/#");
        await UntilAsync(site, () => impostor.Output.Contains(Granted, StringComparison.Ordinal), impostor);

        using var device = Start(
            site, "mosquitto_pub", 0, "device", "tools", "-t", $"muster/v1/devices/{QuestionTests.Serial}/up/hello", "-m",
            $$"""
            {"stamp":{"bootId":"boot-1","sequence":1},"serial":"{{QuestionTests.Serial}}","model":"{{ClusterSite.Model}}",
            "osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}
            """);
        await UntilAsync(site, () => device.HasExited, device);
        var committed = Stopwatch.StartNew();
        Assert.Equal(0, device.ExitCode);

        await UntilAsync(site, () => impostor.HasExited, impostor);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"Ended {committed.Elapsed.TotalSeconds:0.0} s after its successor had left.{Environment.NewLine}{impostor.Output}");
        using var again = Start(site, "mosquitto_pub", 1, "second", "log", "-t", "x", "-m", "y");
        await UntilAsync(site, () => again.HasExited, again);
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("ot authorized", again.Output, StringComparison.Ordinal);

        await CheckWithoutSiloAsync(site);
    }

    private static async Task CheckWithoutSiloAsync(ClusterSite site)
    {
        string[] status =
        [
            "-t", $"muster/v1/devices/{QuestionTests.Serial}/up/status", "-m", """{"stamp":{"bootId":"boot-1","sequence":1}}""",
        ];
        using var connected = Start(
            site, "mosquitto_sub", 1, "device", "", "-t", $"muster/v1/devices/{QuestionTests.Serial}/down/#");
        await UntilAsync(site, () => connected.Output.Contains(Granted, StringComparison.Ordinal), connected);

        site.Silos[0].Signal("STOP");
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(2.5), Cancel);
            using var refused = Start(site, "mosquitto_pub", 0, "device", "tools", status);
            await UntilAsync(site, () => refused.HasExited, refused);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("erver unavailable", refused.Output, StringComparison.Ordinal);
            Assert.False(connected.HasExited, connected.Output);
        }
        finally
        {
            site.Silos[0].Signal("CONT");
        }

        for (var started = Stopwatch.StartNew(); ;)
        {
            using var back = Start(site, "mosquitto_pub", 0, "device", "tools", status);
            await UntilAsync(site, () => back.HasExited, back);
            if (back.ExitCode == 0)
            {
                return;
            }

            Assert.True(started.Elapsed < Patience, back.Output + site.Tails());
        }
    }

    private static string ClientId(string suffix) => suffix.Length == 0 ? QuestionTests.Serial : $"{QuestionTests.Serial}/{suffix}";

    private static MosquittoClient Start(
        ClusterSite site, string program, int gateway, string certificate, string suffix, params string[] arguments) => new(
        site.Folder,
        [
            "-oL", program, "-d", "-V", "mqttv5", "-h", "localhost", "-p",
            site.MqttPorts[gateway].ToString(CultureInfo.InvariantCulture), "-q", "1", "-i", ClientId(suffix), "--cafile",
            Path.Combine(site.Profile, "server-ca.pem"), "--cert", $"{certificate}.pem", "--key", $"{certificate}.key", .. arguments,
        ]);

    private static async Task UntilAsync(ClusterSite site, Func<bool> isSo, MosquittoClient client)
    {
        for (var started = Stopwatch.StartNew(); !isSo();)
        {
            Assert.True(started.Elapsed < Patience, client.Output + Environment.NewLine + site.Tails());
            await Task.Delay(TimeSpan.FromMilliseconds(50), Cancel);
        }
    }
}
