using System.Diagnostics;
using System.Globalization;

namespace Muster.Cluster.Tests;

/// <summary>A silo dies, and the devices whose grains it had do not notice: their connections are the gateway's.</summary>
[Collection(ClusterSite.Collection)]
public sealed class SiloDeathTests
{
    /// <summary>Their grains and partitions are spread over both silos: the dying one has none of them in one case of 60,000.</summary>
    private const int Devices = 8;

    /// <summary>Of the device number $0: its certificate, under the root that the first device's has.</summary>
    private const string Make = """
        for n in $(seq 1 "$0"); do
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -CA root.pem -CAkey root.key \
            -addext basicConstraints=critical,CA:FALSE -subj "/CN=UNIT-$n/serialNumber=UNIT-$n" -keyout "UNIT-$n.key" \
            -out "UNIT-$n.pem" 2> /dev/null
        done
        """;

    /// <summary>The cluster needs some twenty seconds to believe that a silo is gone.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silo_KilledUnderOpenSessions_IsReplacedAndTheDevicesHearOfTheNextChangeOnTheSameConnection()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 1, Cancel, site => MakeDevicesAsync(site, Devices));
        var digest = await site.ImportImageAsync(Cancel);
        var sessions = new List<MosquittoClient>();
        try
        {
            foreach (var serial in SerialsOf(Devices))
            {
                sessions.Add(await EnrolAsync(site, serial));
            }

            var connects = sessions.Select(CountConnects).ToArray();
            site.Silos[1].Kill();
            var killed = Stopwatch.StartNew();

            // Who is connected is in memory: the gateway tells it to the partitions' next silo.
            while (await site.CountAsync("connected=true", Cancel) < Devices)
            {
                Assert.True(killed.Elapsed < Patience, site.Tails());
            }

            var known = killed.Elapsed;
            await site.InsistAsync(
                Cancel, "rollouts", "create", "after", "--image", digest, "--filter", $"model={ClusterSite.Model}", "--wave",
                "100%:100:0s:all");
            await site.InsistAsync(Cancel, "rollouts", "start", "after");
            var started = killed.Elapsed;
            await UntilAllAsync(site, sessions);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"After the silo's death {Devices} devices were known to be connected at {known.TotalSeconds:0} s, the rollout was started "
                + $"at {started.TotalSeconds:0} s, and all had it at {killed.Elapsed.TotalSeconds:0} s.");
            Assert.All(sessions, session => Assert.False(session.HasExited, session.Output));
            Assert.Equal(connects, sessions.Select(CountConnects));
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }

    /// <summary>The serials of <see cref="MakeDevicesAsync"/>.</summary>
    internal static string[] SerialsOf(int devices) => [.. Enumerable.Range(1, devices).Select(number => $"UNIT-{number}")];

    /// <summary>A maker that is trusted, and the identities of devices in <c>SERIAL.pem</c> and <c>SERIAL.key</c>.</summary>
    internal static async Task MakeDevicesAsync(ClusterSite site, int devices)
    {
        await QuestionTests.MakeDeviceAsync(site);
        using var made = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", Make, devices.ToString(CultureInfo.InvariantCulture)])
        {
            WorkingDirectory = site.Folder,
        })!;
        await made.WaitForExitAsync(Cancel);
        Assert.Equal(0, made.ExitCode);
    }

    /// <summary>In service, with a session that is open and says nothing but its pings.</summary>
    private static async Task<MosquittoClient> EnrolAsync(ClusterSite site, string serial)
    {
        await site.InsistAsync(
            Cancel, "devices", "create", serial, "--model", ClusterSite.Model, "--track", "active", "--warranty-start", "2026-01-01",
            "--warranty-months", "60");
        var session = Start(site, "mosquitto_sub", serial, serial, "-k", "10", "-t", $"muster/v1/devices/{serial}/down/#");
        await UntilAsync(site, () => session.HasExited || session.Output.Contains("Subscribed", StringComparison.Ordinal), session);
        Assert.False(session.HasExited, session.Output);
        using var hello = Start(
            site, "mosquitto_pub", serial, $"{serial}/tools", "-t", $"muster/v1/devices/{serial}/up/hello", "-m",
            $$"""
            {"stamp":{"bootId":"boot-1","sequence":1},"serial":"{{serial}}","model":"{{ClusterSite.Model}}",
            "osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}
            """);
        await UntilAsync(site, () => hello.HasExited, hello);
        Assert.True(hello.ExitCode == 0, hello.Output);
        return session;
    }

    private static MosquittoClient Start(
        ClusterSite site, string program, string serial, string clientId, params string[] arguments) => new(
        site.Folder,
        [
            "-oL", program, "-d", "-V", "mqttv5", "-h", "localhost", "-p",
            site.MqttPorts[0].ToString(CultureInfo.InvariantCulture), "-q", "1", "-i", clientId, "--cafile",
            Path.Combine(site.Profile, "server-ca.pem"), "--cert", $"{serial}.pem", "--key", $"{serial}.key", .. arguments,
        ]);

    private static async Task UntilAllAsync(ClusterSite site, List<MosquittoClient> sessions)
    {
        for (var started = Stopwatch.StartNew(); !sessions.TrueForAll(HasDesired);)
        {
            if (started.Elapsed > Patience)
            {
                var rollout = await site.MusterAsync("rollouts", "get", "after");
                var devices = await site.MusterAsync("devices", "list");
                Assert.Fail(
                    $"{sessions.Count(HasDesired)} of {Devices} devices heard of it.{Environment.NewLine}{rollout}{Environment.NewLine}"
                    + $"{devices}{Environment.NewLine}{site.Tails()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), Cancel);
        }
    }

    private static int CountConnects(MosquittoClient session) =>
        session.Output.Split('\n').Count(line => line.Contains("sending CONNECT", StringComparison.Ordinal));

    private static bool HasDesired(MosquittoClient session) => session.Output.Contains("/down/desired", StringComparison.Ordinal);

    private static async Task UntilAsync(ClusterSite site, Func<bool> isSo, MosquittoClient client)
    {
        for (var started = Stopwatch.StartNew(); !isSo();)
        {
            Assert.True(started.Elapsed < Patience, client.Output + Environment.NewLine + site.Tails());
            await Task.Delay(TimeSpan.FromMilliseconds(50), Cancel);
        }
    }
}
