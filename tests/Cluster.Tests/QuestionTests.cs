using System.Diagnostics;
using System.Globalization;
using Muster.Protocol.V1;

namespace Muster.Cluster.Tests;

/// <summary>What one gateway was told is in what the other answers: at once what was committed, soon who is connected.</summary>
[Collection(ClusterSite.Collection)]
public sealed class QuestionTests
{
    private const string Parent = "tenants/default";
    internal const string Serial = "CAM-000001";
    private const int Writers = 4;
    private const int DevicesPerWriter = 8;
    private const int RoundsPerWriter = 60;
    private const int TriesDefault = 6;

    /// <summary>What is promised; half of the tries have to keep it on a busy machine too.</summary>
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_ByOneGateway_IsInEveryAnswerOfTheOther()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel);
        using var first = GatewayChannel.Open(site, 0);
        using var second = GatewayChannel.Open(site, 1);
        Devices.DevicesClient[] gateways = [new(first), new(second)];
        var clock = Stopwatch.StartNew();

        // Hundreds of writes on devices of many partitions, which both silos have; each is asked for at the other gateway at once.
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAndAskAsync(gateways, writer)));

        var all = await gateways[1].CountDevicesAsync(new CountDevicesRequest { Parent = Parent }, cancellationToken: Cancel);
        Assert.Equal(Writers * DevicesPerWriter, all.Total);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Writers * (DevicesPerWriter + RoundsPerWriter)} writes, each counted and listed, in {clock.Elapsed.TotalSeconds:0} s.");
    }

    /// <summary>MUSTER_PRESENCE_TRIES runs more.</summary>
    [Fact]
    public async Task Presence_OfADeviceAtOneGateway_IsInWhatTheOtherAnswersWithinTwoSeconds()
    {
        var tries = int.Parse(
            Environment.GetEnvironmentVariable("MUSTER_PRESENCE_TRIES") ?? $"{TriesDefault}", CultureInfo.InvariantCulture);
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel, MakeDeviceAsync);
        using var channel = GatewayChannel.Open(site, 1);
        var other = new Devices.DevicesClient(channel);
        await CreateAsync(other, Serial);
        var (came, went) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var i = 0; i < tries; i++)
        {
            using var device = await ConnectAsync(site);
            came.Add(await UntilAsync(other, $"name = {Serial} AND connected = true"));
            device.Kill();
            went.Add(await UntilAsync(other, $"name = {Serial} AND connected = false AND disconnect_reason = CONNECTION_LOST"));
            await device.WaitForExitAsync(Cancel);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Connected after {Figures(came)}, gone after {Figures(went)}, {tries} tries.");
        Assert.InRange(Median(came), TimeSpan.Zero, Promised);
        Assert.InRange(Median(went), TimeSpan.Zero, Promised);
    }

    private static async Task WriteAndAskAsync(Devices.DevicesClient[] gateways, int writer)
    {
        var names = Enumerable.Range(0, DevicesPerWriter).Select(n => $"W{writer}-{n}").ToArray();
        foreach (var (name, at) in names.Select((name, at) => (name, at)))
        {
            await CreateAsync(gateways[at % 2], name);
            await AssertFoundAsync(gateways[1 - (at % 2)], $"name = {name}", name);
        }

        for (var round = 0; round < RoundsPerWriter; round++)
        {
            var name = names[round % names.Length];
            var edit = new EditDevicesRequest { Parent = Parent, Filter = $"name = {name}" };
            edit.SetLabels.Add("round", $"{writer}-{round}");
            var edited = await gateways[round % 2].EditDevicesAsync(edit, cancellationToken: Cancel);
            Assert.Equal(1, edited.Edited);
            await AssertFoundAsync(gateways[1 - (round % 2)], $"labels.round = {writer}-{round}", name);
        }
    }

    private static async Task AssertFoundAsync(Devices.DevicesClient gateway, string filter, string name)
    {
        var counting = new CountDevicesRequest { Parent = Parent, Filter = filter };
        var count = await gateway.CountDevicesAsync(counting, cancellationToken: Cancel);
        Assert.Equal((filter, 1), (filter, count.Total));
        var list = await gateway.ListDevicesAsync(new ListDevicesRequest { Parent = Parent, Filter = filter }, cancellationToken: Cancel);
        Assert.Equal($"{Parent}/devices/{name}", Assert.Single(list.Devices).Name);
    }

    private static async Task CreateAsync(Devices.DevicesClient gateway, string name)
    {
        var device = new Device
        {
            Model = ClusterSite.Model,
            Track = "active",
            Warranty = new Warranty { StartsOn = "2026-01-01", TermMonths = 60 },
        };
        var request = new CreateDeviceRequest { Parent = Parent, DeviceId = name, Device = device, RequestId = name };
        await gateway.CreateDeviceAsync(request, cancellationToken: Cancel);
    }

    /// <summary>A maker of the test's own whose root is trusted, and one device's identity.</summary>
    internal static async Task MakeDeviceAsync(ClusterSite site)
    {
        const string Lines = """
            new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365"
            $new -subj "/CN=Test maker" -addext keyUsage=critical,keyCertSign -keyout root.key -out root.pem
            $new -CA root.pem -CAkey root.key -addext basicConstraints=critical,CA:FALSE -subj "/CN=$0/serialNumber=$0" \
                -keyout device.key -out device.pem
            cp root.pem "$1"
            """;
        using var made = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", Lines, Serial, Trust(site)])
        {
            WorkingDirectory = site.Folder,
            RedirectStandardError = true,
        })!;
        var said = await made.StandardError.ReadToEndAsync(Cancel);
        await made.WaitForExitAsync(Cancel);
        Assert.True(made.ExitCode == 0, said);
    }

    private static string Trust(ClusterSite site) => Path.Combine(site.DataFolder, "trust", "devices", "test-maker.pem");

    /// <summary>A mosquitto_sub at the first gateway; returns with its CONNACK.</summary>
    private static async Task<Process> ConnectAsync(ClusterSite site)
    {
        var port = site.MqttPorts[0].ToString(CultureInfo.InvariantCulture);
        var device = Process.Start(new ProcessStartInfo(
            "stdbuf",
            [
                "-oL", "mosquitto_sub", "-d", "-V", "mqttv5", "-h", "localhost", "-p", port, "-q", "1", "-i", Serial, "-k", "60",
                "--cafile", Path.Combine(site.Profile, "server-ca.pem"), "--cert", Path.Combine(site.Folder, "device.pem"), "--key",
                Path.Combine(site.Folder, "device.key"), "-t", $"muster/v1/devices/{Serial}/down/#",
            ])
        {
            RedirectStandardOutput = true,
        })!;
        while (await device.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.Contains("received CONNACK (0)", StringComparison.Ordinal))
            {
                return device;
            }
        }

        throw new InvalidOperationException($"The device was not let in. {site.Tails()}");
    }

    /// <summary>How long it takes until one device matches.</summary>
    private static async Task<TimeSpan> UntilAsync(Devices.DevicesClient gateway, string filter)
    {
        var clock = Stopwatch.StartNew();
        var request = new CountDevicesRequest { Parent = Parent, Filter = filter };
        while ((await gateway.CountDevicesAsync(request, cancellationToken: Cancel)).Total != 1)
        {
            Assert.True(clock.Elapsed < Patience, $"Waited in vain for {filter}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancel);
        }

        return clock.Elapsed;
    }

    private static string Figures(List<TimeSpan> times) => string.Create(
        CultureInfo.InvariantCulture,
        $"{times.Min().TotalSeconds:0.00} to {times.Max().TotalSeconds:0.00} s (median {Median(times).TotalSeconds:0.00})");

    private static TimeSpan Median(List<TimeSpan> times) => times.Order().ElementAt(times.Count / 2);
}
