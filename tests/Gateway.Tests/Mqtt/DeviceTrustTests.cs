using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MQTTnet;
using Muster.Contracts.Anchors;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Tenants;
using Muster.Gateway.Identity;
using Muster.Gateway.Tests.Edge;
using Muster.Gateway.Tests.Grpc;
using Samples = Muster.Gateway.Tests.Edge.Samples;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class DeviceTrustTests
{
    private static readonly TrustStore Nobody = new([]);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_BeforeTheAnchorsWereRead_IsToldToComeBack()
    {
        var pki = new TestPki();
        var trust = new DeviceTrust(TenantDirectory.OfOne, TrustStore.FromPem(pki.RootPem), pki.Clock);
        await using var edge = await DeviceEdge.StartAsync(pki, trust, TenantDirectory.OfOne);
        await using var early = new TestClient(edge, pki.Issue(Samples.Serial));
        await using var late = new TestClient(edge, pki.Issue(Samples.Serial));

        var refused = await early.ConnectAsync(Samples.Serial);
        Assert.NotNull(trust.FindProblem());
        trust.Accept(TenantId.Default, null);
        var admitted = await late.ConnectAsync(Samples.Serial);

        Assert.Equal(MqttClientConnectResultCode.ServerUnavailable, refused.ResultCode);
        Assert.Equal(MqttClientConnectResultCode.Success, admitted.ResultCode);
        Assert.Null(trust.FindProblem());
    }

    [Fact]
    public async Task Session_WhoseAnchorIsRemoved_IsClosedAndAnotherIsNot()
    {
        var pki = new TestPki();
        var trust = new DeviceTrust(TenantDirectory.OfOne, Nobody, pki.Clock);
        await using var edge = await DeviceEdge.StartAsync(pki, trust, TenantDirectory.OfOne);
        trust.Accept(TenantId.Default, SetOf(pki, 1));
        await using var makers = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var own = new TestClient(edge, pki.IssueOperational(Samples.OtherSerial));
        await own.ConnectAsync(Samples.OtherSerial);

        trust.Accept(TenantId.Default, AnchorSet.Empty with { Revision = 2 });

        var ending = await makers.Disconnected.Task.WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, ending.Reason);
        Assert.Contains("CERTIFICATE_UNTRUSTED", ending.ReasonString, StringComparison.Ordinal);
        Assert.False(own.Disconnected.Task.IsCompleted);
        await using var again = new TestClient(edge, pki.Issue(Samples.Serial));
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, (await again.ConnectAsync(Samples.Serial)).ResultCode);
    }

    [Fact]
    public void Session_WhoseAnchorStays_OutlivesAChangeOfOthers()
    {
        using var pki = new TestPki();
        var trust = new DeviceTrust(TenantDirectory.OfOne, Nobody, pki.Clock);
        var tenant = TenantId.Default;
        trust.Accept(tenant, SetOf(pki, 1));
        using var certificate = pki.Issue(Samples.Serial);
        var peer = new DevicePeer(tenant, trust) { Result = trust.Verify(tenant, certificate, null) };
        Assert.NotNull(peer.Result?.Identity);

        trust.Accept(tenant, SetOf(pki, 2));
        Assert.NotNull(peer.Result?.Identity);
        trust.Accept(tenant, AnchorSet.Empty with { Revision = 3 });

        Assert.Equal("CERTIFICATE_UNTRUSTED", peer.Result?.Error?.Reason);
    }

    [Fact]
    public void Verify_AfterTheLease_BelievesNobodyUntilTheNextAnswer()
    {
        using var pki = new TestPki();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var trust = new DeviceTrust(TenantDirectory.OfOne, Nobody, clock);
        trust.Accept(TenantId.Default, SetOf(pki, 1));
        using var certificate = pki.Issue(Samples.Serial);

        clock.Advance(DeviceTrust.Lease);
        Assert.NotNull(trust.Verify(TenantId.Default, certificate, null).Identity);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("TEMPORARILY_UNAVAILABLE", trust.Verify(TenantId.Default, certificate, null).Error?.Reason);
        Assert.NotNull(trust.FindProblem());
        trust.Accept(TenantId.Default, null);
        Assert.NotNull(trust.Verify(TenantId.Default, certificate, null).Identity);
        Assert.Null(trust.FindProblem());
    }

    [Fact]
    public void Verify_OfTheFoldersMakers_IsForTheTenantDefaultOnly()
    {
        using var pki = new TestPki();
        var (tenants, _) = TenantDirectory.Create([new TenantNames(Tenant("acme"), ["acme.example"])]);
        var trust = new DeviceTrust(tenants!, TrustStore.FromPem(pki.RootPem), TimeProvider.System);
        trust.Accept(TenantId.Default, null);
        trust.Accept(Tenant("acme"), null);
        using var certificate = pki.Issue(Samples.Serial);

        Assert.NotNull(trust.Verify(TenantId.Default, certificate, null).Identity);
        Assert.Equal("CERTIFICATE_UNTRUSTED", trust.Verify(Tenant("acme"), certificate, null).Error?.Reason);
        trust.Accept(Tenant("acme"), SetOf(pki, 1));
        Assert.NotNull(trust.Verify(Tenant("acme"), certificate, null).Identity);
        Assert.Equal("TEMPORARILY_UNAVAILABLE", trust.Verify(Tenant("stranger"), certificate, null).Error?.Reason);
    }

    [Fact]
    public async Task Refresh_WhenNoSiloAnswersAtTheStart_GoesOnAskingAndAdmitsNobodyMeanwhile()
    {
        using var pki = new TestPki();
        var (factory, fleet) = FakeFleet.Create();
        fleet.Fail<IAnchorSetGrain, AnchorSet?>(nameof(IAnchorSetGrain.GetChangedAsync), new TimeoutException("away"));
        var trust = new DeviceTrust(TenantDirectory.OfOne, Nobody, TimeProvider.System);
        using var refresh = new DeviceTrustRefresh(
            factory, trust, TenantDirectory.OfOne, TimeProvider.System, NullLogger<DeviceTrustRefresh>.Instance);

        await refresh.StartAsync(Stop);
        Assert.NotNull(trust.FindProblem());
        fleet.On<IAnchorSetGrain, AnchorSet?>(
            nameof(IAnchorSetGrain.GetChangedAsync), (_, args) => (long)args[0]! == 5 ? null : SetOf(pki, 5));

        await Eventually.TrueAsync(() => trust.FindProblem() is null, "the anchors are read");
        Assert.Equal(5, trust.Known(TenantId.Default).Revision);
        await refresh.StopAsync(Stop);
    }

    [Theory]
    [InlineData("muster.example", "default")]
    [InlineData("devices.acme.example", "acme")]
    public async Task Connect_ByAServerName_IsADeviceOfThatTenantOnly(string serverName, string tenant)
    {
        await using var edge = await StartSharedAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = new TestClient(edge, null);

        var result = await client.ConnectAsync(
            Samples.Serial, configure: options => options.WithTlsOptions(tls => Name(tls, edge, certificate, serverName)));

        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        foreach (var one in new[] { "default", "acme" })
        {
            Assert.Equal(one == tenant ? 1 : 0, edge.Grains.DeviceOf($"{one}/{Samples.Serial}").Admitted.Count);
        }
    }

    [Theory]
    [InlineData("other.example")]
    [InlineData("127.0.0.1")]
    public async Task Connect_ByAnUnknownServerName_EndsInTheHandshake(string serverName)
    {
        await using var edge = await StartSharedAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = new TestClient(edge, null);

        await Assert.ThrowsAnyAsync<Exception>(() => client.ConnectAsync(
            Samples.Serial, configure: options => options.WithTlsOptions(tls => Name(tls, edge, certificate, serverName))));

        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    [Fact]
    public async Task Connect_WithTheFleetsCertificateOfAnotherTenant_IsRefused()
    {
        await using var edge = await StartSharedAsync();
        using var certificate = edge.Pki.IssueOperational(Samples.Serial, Tenant("acme"));
        await using var client = new TestClient(edge, null);
        await using var own = new TestClient(edge, null);

        var foreign = await client.ConnectAsync(
            Samples.Serial, configure: options => options.WithTlsOptions(tls => Name(tls, edge, certificate, "muster.example")));
        var home = await own.ConnectAsync(
            Samples.Serial, configure: options => options.WithTlsOptions(tls => Name(tls, edge, certificate, "devices.acme.example")));

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, foreign.ResultCode);
        Assert.Equal(MqttClientConnectResultCode.Success, home.ResultCode);
    }

    private static async Task<DeviceEdge> StartSharedAsync()
    {
        var pki = new TestPki();
        var (tenants, _) = TenantDirectory.Create(
            [new TenantNames(TenantId.Default, ["muster.example"]), new TenantNames(Tenant("acme"), ["devices.acme.example"])]);
        var trust = new DeviceTrust(tenants!, Nobody, pki.Clock);
        trust.Accept(TenantId.Default, SetOf(pki, 1));
        trust.Accept(Tenant("acme"), SetOf(pki, 1));
        return await DeviceEdge.StartAsync(pki, trust, tenants!);
    }

    private static void Name(MqttClientTlsOptionsBuilder tls, DeviceEdge edge, X509Certificate2 certificate, string serverName) => tls
        .UseTls()
        .WithTargetHost(serverName)
        .WithClientCertificates([certificate])
        .WithCertificateValidationHandler(args => edge.Pki.IsServer(args.Certificate));

    private static AnchorSet SetOf(TestPki pki, long revision)
    {
        var reader = new AnchorCertificateReader();
        var now = TimeProvider.System.GetUtcNow();
        var (certificates, _) = reader.Read(pki.RootPem, AnchorProfile.Ieee8021Ar, now);
        var id = ResourceId.TryParse("maker", out var parsed) ? parsed : throw new FormatException();
        return new AnchorSet(revision, now, [new TrustAnchor(new AnchorSpec(id, AnchorProfile.Ieee8021Ar, []), certificates, now)]);
    }

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var id) ? id : throw new FormatException(name);
}
