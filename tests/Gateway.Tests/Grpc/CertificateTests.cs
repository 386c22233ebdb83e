using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Muster.Contracts.Operators;
using Muster.Domain;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

public sealed class CertificateTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none")]
    [InlineData("device")]
    [InlineData("device's of the fleet CA")]
    [InlineData("self-signed")]
    [InlineData("other CA of the same name")]
    public async Task Handshake_WithAnyOtherCertificate_IsRefused(string kind)
    {
        await using var edge = await OperatorsEdge.StartAsync();
        edge.Accounts["anna"] = [OperatorRole.Administrator];
        using var other = Muster.Cryptography.Certificates.CertificateAuthority.Create("Operators", Now(), TimeSpan.FromDays(1));
        var certificate = kind switch
        {
            "none" => null,
            "device" => edge.Pki.Issue("B8A44F000001"),
            "device's of the fleet CA" => edge.Pki.IssueOperational("B8A44F000001"),
            "self-signed" => SelfSigned("anna"),
            _ => IssueUnder(other, "anna"),
        };
        var client = new V1.Operators.OperatorsClient(edge.Connect(certificate));

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await client.WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: Stop));

        // With TLS 1.3 the server's alert comes after the client's first write: the client names it by whichever it met first.
        Assert.True(
            refusal.StatusCode is StatusCode.Unavailable or StatusCode.Internal, $"The call ended with {refusal.StatusCode}.");
        Assert.DoesNotContain(edge.Fleet.Calls, call => call.Grain == nameof(IOperatorGrain));
    }

    [Fact]
    public async Task WhoAmI_WithTheRightCertificate_AnswersWithTheAccount()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Operators.OperatorsClient(edge.Connect("anna", OperatorRole.Viewer));
        edge.Fleet.On<IOperatorGrain, OperatorReply>(nameof(IOperatorGrain.GetAsync), (key, _) =>
        {
            var (tenant, id) = OperatorKey.Parse(key);
            return new OperatorReply(Samples.Account(tenant, id, [OperatorRole.Viewer], "ab"), null);
        });

        var me = await client.WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: Stop);

        Assert.Equal("tenants/default/operators/anna", me.Name);
        Assert.Equal([V1.OperatorRole.Viewer], me.Roles);
    }

    [Fact]
    public async Task Call_OfACertificateWithoutAccount_IsUnauthenticated()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var client = new V1.Operators.OperatorsClient(edge.Connect(edge.Issue("nobody")));

        var (code, reason, _) = await Samples.RefusedAsync(
            async () => await client.WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: Stop));

        Assert.Equal((StatusCode.Unauthenticated, "OPERATOR_UNKNOWN"), (code, reason));
    }

    [Fact]
    public async Task Call_WithoutTheRole_IsDeniedBeforeTheGrainIsAsked()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var devices = new V1.Devices.DevicesClient(edge.Connect("anna", OperatorRole.Viewer));

        // The name is malformed and would be refused too: permission comes first.
        var (code, reason, _) = await Samples.RefusedAsync(async () =>
            await devices.QuarantineDeviceAsync(new V1.QuarantineDeviceRequest { Name = "nothing" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED"), (code, reason));
    }

    [Fact]
    public async Task Call_ForAnotherTenant_IsDenied()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var devices = new V1.Devices.DevicesClient(edge.Connect("anna", OperatorRole.Administrator));

        var (code, reason, _) = await Samples.RefusedAsync(async () =>
            await devices.GetDeviceAsync(new V1.GetDeviceRequest { Name = "tenants/other/devices/A1" }, cancellationToken: Stop));

        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED"), (code, reason));
    }

    [Fact]
    public async Task HealthAndReflection_OfAnOperator_Answer()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var invoker = edge.Connect("anna", OperatorRole.Viewer);

        var health = await new Health.HealthClient(invoker).CheckAsync(new HealthCheckRequest(), cancellationToken: Stop);
        using var reflection = new ServerReflection.ServerReflectionClient(invoker).ServerReflectionInfo(cancellationToken: Stop);
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Stop);
        await reflection.ResponseStream.MoveNext(Stop);
        await reflection.RequestStream.CompleteAsync();

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        Assert.Contains(reflection.ResponseStream.Current.ListServicesResponse.Service, service => service.Name == "muster.v1.Devices");
    }

    private static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return Portable(request.CreateSelfSigned(Now().AddDays(-1), Now().AddDays(1)));
    }

    private static X509Certificate2 IssueUnder(Muster.Cryptography.Certificates.CertificateAuthority authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        Assert.True(ResourceId.TryParse(name, out var id));
        var (signed, _) = new Muster.Cryptography.Certificates.OperatorCertificateAuthority(authority, TimeSpan.FromHours(1))
            .Sign(request.CreateSigningRequestPem(), TenantId.Default, id, Now());
        using var certificate = X509Certificate2.CreateFromPem(signed!.Pem, key.ExportPkcs8PrivateKeyPem());
        return Portable(certificate);
    }

    private static X509Certificate2 Portable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
}
