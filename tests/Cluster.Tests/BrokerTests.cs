using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Storage;
using Muster.Testing.Stores;

namespace Muster.Cluster.Tests;

/// <summary>
/// A gateway behind a shared broker dies in the middle of its work: what the broker took is not lost, and devices notice nothing but that
/// some things have to be said again.
/// </summary>
[Collection(ClusterSite.Collection)]
public sealed class BrokerTests
{
    private const int Devices = 12;

    /// <summary>Of one device in one round: fewer than the 32 back to which a late one is told from a repetition.</summary>
    private const int Messages = 20;

    /// <summary>One for each gateway, and one more: the kill does not hit the same place twice.</summary>
    private const int Rounds = 3;

    /// <summary>Of the change feed at a time; the store reads at most four times as many.</summary>
    private const int PageEntries = 256;

    /// <summary>A device says again what nobody has taken.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>At the devices' own listener: the hello that enrols, and a certificate of the fleet CA.</summary>
    private const string Enrol = """
        set -o pipefail
        for n in $(seq 1 $COUNT); do
          serial=UNIT-$n
          mosquitto_pub -V mqttv5 -h localhost -p $MQTT0 -q 1 --cafile $CA -i $serial/tools --cert $serial.pem --key $serial.key \
            -t muster/v1/devices/$serial/up/hello -m '{"stamp":{"bootId":"boot-1","sequence":1},"serial":"'$serial'",
            "model":"'$MODEL'","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
          openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $serial.own.key
          openssl req -new -key $serial.own.key -subj / -outform DER | openssl base64 -out request
          curl --silent --show-error --fail-with-body --cacert $CA --cert $serial.pem --key $serial.key \
            -H "Content-Type: application/pkcs10" --data-binary @request $EST/simpleenroll \
            | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out $serial.own.pem
        done
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gateway_KilledWhileDevicesSpeakThroughTheBroker_LosesNothingThatTheBrokerTook()
    {
        SharedBroker? broker = null;
        await using var site = await ClusterSite.StartAsync(silos: 1, gateways: 2, Cancel, async site =>
        {
            await SiloDeathTests.MakeDevicesAsync(site, Devices);
            broker = await SharedBroker.StartAsync(site, Cancel);
        });
        using var running = broker!;
        var devices = await ConnectAsync(site, running);
        try
        {
            for (var round = 1; round <= Rounds; round++)
            {
                await KillInTheMiddleAsync(site, devices, victim: round % 2, round);
            }

            await TakeOverAsync(site, devices, victim: 0);
            Assert.All(devices, device => Assert.Equal(0, device.Disconnects));
            Assert.All(devices, device => Assert.Empty(device.Refused));
        }
        finally
        {
            foreach (var device in devices)
            {
                await device.DisposeAsync();
            }
        }
    }

    /// <summary>Every device says everything once and believes the broker's PUBACK; the gateway that died comes back.</summary>
    private static async Task KillInTheMiddleAsync(ClusterSite site, BrokerDevice[] devices, int victim, int round)
    {
        var before = Acknowledged(devices);
        var speaking = Task.WhenAll(devices.SelectMany(
            device => Enumerable.Range(1, Messages).Select(step => device.SayAsync(Text(round, step)))));
        await UntilAsync(site, "a quarter is taken", () => Task.FromResult(Acknowledged(devices) - before > Devices * Messages / 4), 1);

        // The silo stands still for a moment: what comes now waits in the gateways' memory, and one of them dies with its part.
        site.Silos[0].Signal("STOP");
        await speaking;
        var taken = Acknowledged(devices) - before;
        site.Gateways[victim].Kill();
        site.Silos[0].Signal("CONT");
        Assert.InRange(taken, 1, (Devices * Messages) - 1);
        await site.StartGatewayAgainAsync(victim, Cancel);
        await UntilCommittedAsync(site, Devices * Messages * round);
        await AssertLastAsync(site, Text(round, Messages));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"Round {round}: {taken} of {Devices * Messages} inventories were acknowledged to their devices when gateway {victim} was "
            + $"killed, {Acknowledged(devices) - before} when all were committed.");
    }

    /// <summary>A gateway dies for good, as far as devices know: what they say again goes to the other.</summary>
    private static async Task TakeOverAsync(ClusterSite site, BrokerDevice[] devices, int victim)
    {
        var speaking = devices.Select(async device =>
        {
            var repeated = 0;
            for (var step = 1; step <= Messages; step++)
            {
                repeated += await device.SayUntilTakenAsync(Text(Rounds + 1, step), Pause, Patience) - 1;
            }

            return repeated;
        }).ToArray();
        var before = Acknowledged(devices);
        await UntilAsync(site, "a quarter is taken", () => Task.FromResult(Acknowledged(devices) - before > Devices * Messages / 4), 1);
        site.Gateways[victim].Kill();
        var repeated = await Task.WhenAll(speaking);
        await AssertLastAsync(site, Text(Rounds + 1, Messages));
        Assert.NotEqual(0, repeated.Sum());
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"With one gateway left all {Devices * Messages} were taken; {repeated.Sum()} had to be said again.");

        // What waited for it was said again meanwhile, and is committed once.
        await site.StartGatewayAgainAsync(victim, Cancel);
        await UntilConnectedAsync(site, victim);
        await Task.WhenAll(devices.Select(device => device.SayUntilTakenAsync("end", Pause, Patience)));
        await AssertLastAsync(site, "end");
        Assert.Equal((Devices * Messages * (Rounds + 1)) + Devices, await CountCommittedAsync(site));
    }

    private static async Task<BrokerDevice[]> ConnectAsync(ClusterSite site, SharedBroker broker)
    {
        var serials = SiloDeathTests.SerialsOf(Devices);
        foreach (var serial in serials)
        {
            await site.InsistAsync(
                Cancel, "devices", "create", serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01", "--warranty-months",
                "60");
        }

        var (code, said) = await site.ShellAsync(Enrol, Cancel, ("COUNT", Devices), ("MODEL", ClusterSite.Model));
        Assert.True(code == 0, $"{said}{Environment.NewLine}{site.Tails()}");
        await UntilConnectedAsync(site, 0);
        await UntilConnectedAsync(site, 1);
        return await Task.WhenAll(serials.Select(serial => BrokerDevice.ConnectAsync(site, broker, serial, Cancel)));
    }

    /// <summary>A gateway without its broker is ready, and says so.</summary>
    private static Task UntilConnectedAsync(ClusterSite site, int gateway) => UntilAsync(
        site,
        $"gateway {gateway} is at the broker",
        async () => await site.ProbeAsync(site.Gateways[gateway], "/health/ready", Cancel) == (200, "ok"));

    private static async Task AssertLastAsync(ClusterSite site, string text)
    {
        var filter = $"settings.{BrokerDevice.Setting} = {text}";
        await UntilAsync(site, $"all devices have {filter}", async () => await site.CountAsync(filter, Cancel) == Devices);
    }

    private static Task UntilCommittedAsync(ClusterSite site, int inventories) => UntilAsync(
        site, $"{inventories} inventories are committed", async () => await CountCommittedAsync(site) == inventories);

    /// <summary>What the change feed has of them: one fact for each that was committed, none for a repetition.</summary>
    private static async Task<int> CountCommittedAsync(ClusterSite site)
    {
        await using var store = StoreSession.Open(
            site.ConnectionString,
            configure: services => services.Configure<StoreOptions>(options => options.Partitions = PartitionMap.CountDefault));
        var count = 0;
        for (var partition = 0; partition < PartitionMap.CountDefault; partition++)
        {
            for (long position = 0; await store.Feed.ReadAsync(partition, position, PageEntries, Cancel) is [.., var newest] page;)
            {
                count += page.Count(entry => entry.Fact is DeviceInventoryTaken);
                position = newest.Sequence;
            }
        }

        return count;
    }

    private static int Acknowledged(BrokerDevice[] devices) => devices.Sum(device => device.Acknowledged);

    private static string Text(int round, int step) => $"r{round}s{step}";

    private static async Task UntilAsync(ClusterSite site, string what, Func<Task<bool>> isSo, int pollMs = 200)
    {
        for (var started = Stopwatch.StartNew(); !await isSo();)
        {
            Assert.True(started.Elapsed < Patience, $"Waited in vain until {what}.{Environment.NewLine}{site.Tails()}");
            await Task.Delay(TimeSpan.FromMilliseconds(pollMs), Cancel);
        }
    }
}
