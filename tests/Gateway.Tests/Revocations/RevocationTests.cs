using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Revocations;

/// <summary>What is open ends when its device loses its right, over real sockets.</summary>
public sealed class RevocationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Samples.Serial, MqttProtocolVersion.V500)]
    [InlineData(Samples.Serial, MqttProtocolVersion.V311)]
    [InlineData(Samples.Serial + "/log", MqttProtocolVersion.V500)]
    public async Task Tombstone_OfAConnectedDevice_EndsEverySession(string clientId, MqttProtocolVersion version)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, clientId, version);
        await using var other = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.End);

        var end = await client.NextEndAsync();
        Assert.True(version != MqttProtocolVersion.V500 || end == MqttClientDisconnectReason.AdministrativeAction, $"{end}");
        Assert.True(other.IsConnected);
    }

    [Fact]
    public async Task Judgement_OfTwoSessions_EndsTheOneThatTheRecordRefuses()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var operational = edge.Pki.IssueOperational(Samples.Serial);
        await using var old = await TestClient.ConnectedAsync(edge, Samples.Serial, Samples.Serial + "/log");
        await using var current = await TestClient.ConnectedAsync(edge, operational, Samples.Serial);
        edge.Grains.Device(Samples.Serial).Access = identity => identity.IsOperational
            ? new AccessReply(null, null)
            : new AccessReply(FleetError.Of(ErrorKind.Denied, "IDENTITY_MISMATCH", "Not on record.", ("device", Samples.Serial)), null);

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);

        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, await old.NextEndAsync());
        Assert.True(current.IsConnected);
    }

    [Fact]
    public async Task Judgement_ThatCannotBeMade_IsRepeatedUntilItIs()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        var asked = 0;
        edge.Grains.Device(Samples.Serial).Access = _ => Interlocked.Increment(ref asked) < 3
            ? throw new TimeoutException("away")
            : new AccessReply(DeviceErrors.NotExpected(IdOf(Samples.Serial)), null);

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);

        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, await client.NextEndAsync());
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task Certificate_ThatAnotherReplaced_EndsItsSessionWithTheOverlap()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var operational = edge.Pki.IssueOperational(Samples.Serial);
        await using var client = await TestClient.ConnectedAsync(edge, operational, Samples.Serial);
        var asked = 0;
        var until = edge.Pki.Clock.GetUtcNow().AddHours(2);
        edge.Grains.Device(Samples.Serial).Access = _ =>
        {
            Interlocked.Increment(ref asked);
            return new AccessReply(null, until);
        };
        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) > 0, "the record is asked");
        edge.Pki.Clock.Shift(TimeSpan.FromHours(1.9));
        await client.PublishAsync(Samples.Serial, "status", Samples.Status());
        Assert.True(client.IsConnected);

        edge.Pki.Clock.Shift(TimeSpan.FromHours(0.2));

        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, await client.NextEndAsync());
    }

    [Fact]
    public async Task Certificate_ReplacedBeforeTheConnection_EndsItsSessionWithTheOverlap()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var operational = edge.Pki.IssueOperational(Samples.Serial);
        edge.Grains.Device(Samples.Serial).AcceptedUntil = edge.Pki.Clock.GetUtcNow().AddHours(2);
        await using var client = await TestClient.ConnectedAsync(edge, operational, Samples.Serial);

        edge.Pki.Clock.Shift(TimeSpan.FromHours(2.1));

        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, await client.NextEndAsync());
    }

    [Theory]
    [InlineData(RevocationEffect.End)]
    [InlineData(RevocationEffect.Judge)]
    public async Task Download_InProgress_IsBrokenOff(RevocationEffect effect)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var response = await client.GetAsync(edge.LinkTo(digest), HttpCompletionOption.ResponseHeadersRead, Stop);
        await using var body = await response.Content.ReadAsStreamAsync(Stop);
        await body.ReadExactlyAsync(new byte[1_000], Stop);
        edge.Grains.Device(Samples.Serial).Authorize = _ => DeviceErrors.NotExpected(IdOf(Samples.Serial));

        edge.Grains.Inventory.Revoke(Samples.Serial, effect);

        // What fits into sockets may still come; the rest was never sent.
        await Eventually.TrueAsync(() => edge.OpenDownloads == 0, "the download is broken off");
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, Stop));
    }

    /// <summary>The grain has said yes, and its answer is not here yet.</summary>
    [Fact]
    public async Task Tombstone_WhileADownloadIsAskedFor_EndsItToo()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        await using var session = await TestClient.ConnectedAsync(edge, Samples.Serial);
        edge.Grains.Device(Samples.Serial).Authorize = _ =>
        {
            edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.End);
            session.NextEndAsync().Wait(Stop);
            return null;
        };
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync(edge.LinkTo(digest), Stop));
    }

    [Fact]
    public async Task Download_OfAnImageThatIsRevokedMeanwhile_IsBrokenOff()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var response = await client.GetAsync(edge.LinkTo(digest), HttpCompletionOption.ResponseHeadersRead, Stop);
        await using var body = await response.Content.ReadAsStreamAsync(Stop);
        await body.ReadExactlyAsync(new byte[1_000], Stop);
        Assert.Equal(1, edge.OpenDownloads);

        edge.Grains.Inventory.Revoke(digest);

        await Eventually.TrueAsync(() => edge.OpenDownloads == 0, "the download is broken off");
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, Stop));
    }

    /// <summary>Nothing is asked on it: it would stay until the server's patience with idle connections ends.</summary>
    [Theory]
    [InlineData(RevocationEffect.End)]
    [InlineData(RevocationEffect.Judge)]
    public async Task HttpsConnection_ThatIsIdle_EndsWithItsDevicesRight(RevocationEffect effect)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var idle = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        await AskAsync(idle);
        edge.Grains.Device(Samples.Serial).Access = _ => new AccessReply(DeviceErrors.NotExpected(IdOf(Samples.Serial)), null);

        edge.Grains.Inventory.Revoke(Samples.Serial, effect);

        await Assert.ThrowsAnyAsync<IOException>(idle.ReceiveAsync);
    }

    [Fact]
    public async Task HttpsConnection_OfADeviceThatMayStay_StaysOpen()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var idle = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        await AskAsync(idle);
        var asked = 0;
        edge.Grains.Device(Samples.Serial).Access = _ =>
        {
            Interlocked.Increment(ref asked);
            return new AccessReply(null, null);
        };

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) == 1, "the record is asked of the connection");

        // The next question of the same device is behind the judgement.
        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.Judge);
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) == 2, "the record is asked again");
        await AskAsync(idle);
    }

    [Fact]
    public async Task Connect_WhenNoSiloAnswersForTwoSeconds_IsRefusedWithServerUnavailable()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);
        edge.Grains.Inventory.IsAway = true;
        await using var late = new TestClient(edge, edge.Pki.Issue(Samples.OtherSerial));
        edge.Pki.Clock.ShiftTimestamps(TimeSpan.FromSeconds(2.1));

        var refused = await late.ConnectAsync(Samples.OtherSerial);

        Assert.Equal(MqttClientConnectResultCode.ServerUnavailable, refused.ResultCode);
        Assert.StartsWith("REVOCATIONS_UNKNOWN", refused.ReasonString, StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Admitted);
        Assert.True(client.IsConnected);

        edge.Grains.Inventory.IsAway = false;
        await using var back = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        Assert.True(back.IsConnected);
    }

    [Theory]
    [InlineData("/.well-known/est/cacerts")]
    [InlineData("/v1/images/")]
    public async Task Get_WhenNoSiloAnswersForTwoSeconds_IsUnavailableWithRetryAfter(string path)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        edge.Grains.Inventory.IsAway = true;
        edge.Pki.Clock.ShiftTimestamps(TimeSpan.FromSeconds(2.1));

        using var response = await client.GetAsync(path.EndsWith('/') ? edge.LinkTo(digest) : path, Stop);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Contains("REVOCATIONS_UNKNOWN", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(59, true)]
    [InlineData(61, false)]
    public async Task Sessions_WhenNoSiloAnswers_EndAfterAMinute(int seconds, bool isConnected)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        await client.ConnectAsync(Samples.Serial, configure: options => options.WithKeepAlivePeriod(TimeSpan.FromMinutes(10)));
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var http = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var response = await http.GetAsync(edge.LinkTo(digest), HttpCompletionOption.ResponseHeadersRead, Stop);
        edge.Grains.Inventory.IsAway = true;

        edge.Pki.Clock.ShiftTimestamps(TimeSpan.FromSeconds(seconds - 2));
        if (isConnected)
        {
            // Two looks of the sweeper: it had the time to end it.
            await Task.Delay(TimeSpan.FromSeconds(1.2), Stop);
            Assert.True(client.IsConnected);
            Assert.Equal(1, edge.OpenDownloads);
            return;
        }

        Assert.Equal(MqttClientDisconnectReason.ServerBusy, await client.NextEndAsync());
        await Eventually.TrueAsync(() => edge.OpenDownloads == 0, "the download is broken off");
    }

    private static async Task AskAsync(RawClient client)
    {
        await client.SendAsync("HEAD /v1/images/none HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 400", Encoding.ASCII.GetString(await client.ReadSomeAsync()), StringComparison.Ordinal);
    }

    private static DeviceId IdOf(string serial) => DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial);

    private static HttpClient CreateClient(DeviceEdge edge, X509Certificate2 certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                ClientCertificates = [certificate],
                RemoteCertificateValidationCallback = (_, server, _, _) => edge.Pki.IsServer(server),
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{edge.HttpsPort}") };
    }
}
