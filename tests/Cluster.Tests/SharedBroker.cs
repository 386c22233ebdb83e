using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Muster.Repository.Tests;

namespace Muster.Cluster.Tests;

/// <summary>
/// Debian's mosquitto before the gateways of a site, with the files of <c>docs/operations/mosquitto</c>, of which nothing is changed but
/// ports and folders; it takes the fleet CA's certificates from devices, and a CA of its own from gateways.
/// </summary>
internal sealed class SharedBroker : IDisposable
{
    private const string Program = "/usr/sbin/mosquitto";

    private const string Prepare = """
        mkdir -p broker/data
        cp pki/gateway/fleet-ca-1.pem broker/fleet-ca.pem
        cp pki/gateway/server.pem broker/broker.pem
        cp pki/gateway/server.key broker/broker.key
        cp pki/gateway/server-ca.pem broker/server-ca.pem
        cd broker
        new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        $new -subj "/CN=Gateways of the broker" -addext keyUsage=critical,keyCertSign -keyout gateway-ca.key -out gateway-ca.pem
        for gateway in gateway0 gateway1; do
          $new -CA gateway-ca.pem -CAkey gateway-ca.key -addext basicConstraints=critical,CA:FALSE -subj "/CN=$gateway" \
            -keyout $gateway.key -out $gateway.pem
        done
        for file in muster.conf devices.acl gateways.acl; do
          sed -e "s#/etc/mosquitto/muster#$PWD#; s#/var/lib/mosquitto/#$PWD/data/#; s/listener 8883/listener $DEVICES 127.0.0.1/" \
            -e "s/listener 8884/listener $GATEWAYS 127.0.0.1/" "$DOCS/$file" > $file
        done
        # As root it would become another user, who may not read the files of this test.
        echo "user $(id -un)" >> muster.conf
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly int _gatewayPort;
    private readonly MosquittoClient _process;

    private SharedBroker(string folder, int devicePort, int gatewayPort)
    {
        (_folder, DevicePort, _gatewayPort) = (folder, devicePort, gatewayPort);
        _process = new MosquittoClient(folder, ["-oL", Program, "-c", Path.Combine(folder, "muster.conf")]);
    }

    public int DevicePort { get; }

    /// <summary>Before the site's hosts, which are told of it.</summary>
    public static async Task<SharedBroker> StartAsync(ClusterSite site, CancellationToken cancellationToken)
    {
        var ports = Ports.Free(2);
        var (code, said) = await site.ShellAsync(
            Prepare,
            cancellationToken,
            ("DEVICES", ports[0]),
            ("GATEWAYS", ports[1]),
            ("DOCS", Path.Combine(RepositoryFiles.Root, "docs", "operations", "mosquitto")));
        Assert.True(code == 0, said);
        var broker = new SharedBroker(Path.Combine(site.Folder, "broker"), ports[0], ports[1]);
        site.GatewayEnvironment = broker.SettingsOf;
        for (var waited = Stopwatch.StartNew(); !IsOpen(ports[1]);)
        {
            Assert.True(!broker._process.HasExited && waited.Elapsed < Patience, broker._process.Output);
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }

        return broker;
    }

    public void Dispose() => _process.Dispose();

    private Dictionary<string, string> SettingsOf(int gateway) => new()
    {
        ["Muster__Broker__Address"] = "localhost",
        ["Muster__Broker__Port"] = _gatewayPort.ToString(CultureInfo.InvariantCulture),
        ["Muster__Broker__CaFile"] = Path.Combine(_folder, "server-ca.pem"),
        ["Muster__Broker__CertificateFile"] = Path.Combine(_folder, $"gateway{gateway}.pem"),
        ["Muster__Broker__KeyFile"] = Path.Combine(_folder, $"gateway{gateway}.key"),
        ["Muster__Broker__ClientId"] = $"gateway-{gateway}",
    };

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
}
