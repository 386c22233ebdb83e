using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using V1 = Muster.Protocol.V1;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>A channel to the operators' listener with any certificate, or none.</summary>
internal sealed class OperatorLine : IDisposable
{
    private readonly GrpcChannel _channel;

    public OperatorLine(BadInputSite site, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = certificate is null ? null : [certificate],
                CertificateChainPolicy = site.ServerTrust(),
            },
        };
        _channel = GrpcChannel.ForAddress(site.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        Devices = new V1.Devices.DevicesClient(_channel);
        Images = new V1.Images.ImagesClient(_channel);
        Rollouts = new V1.Rollouts.RolloutsClient(_channel);
        Operators = new V1.Operators.OperatorsClient(_channel);
        Products = new V1.Products.ProductsClient(_channel);
        Policies = new V1.Policies.PoliciesClient(_channel);
    }

    public V1.Devices.DevicesClient Devices { get; }

    public V1.Images.ImagesClient Images { get; }

    public V1.Rollouts.RolloutsClient Rollouts { get; }

    public V1.Operators.OperatorsClient Operators { get; }

    public V1.Products.ProductsClient Products { get; }

    public V1.Policies.PoliciesClient Policies { get; }

    public static OperatorLine OfAdministrator(BadInputSite site) => new(
        site,
        X509Certificate2.CreateFromPemFile(Path.Combine(site.Profile, "operator.pem"), Path.Combine(site.Profile, "operator.key")));

    /// <summary>The refusal of a call: its code and the reason, which the published catalogue has to explain.</summary>
    public static async Task<(StatusCode Code, string Reason)> RefusedAsync<T>(Func<Task<T>> call)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await call());
        var details = refusal.GetRpcStatus()?.GetDetail<ErrorInfo>();
        Assert.True(details is not null, $"{refusal.StatusCode} has no ErrorInfo: {refusal.Status.Detail}");
        Assert.Equal("muster.v1", details.Domain);
        Catalogue.AssertExplains(details.Reason);
        return (refusal.StatusCode, details.Reason);
    }

    /// <summary>Of the installation's own operators' CA, for a key that nobody asked about.</summary>
    public static X509Certificate2 IssueBehindTheBack(string pkiFolder, string name)
    {
        using var authority = Cryptography.Certificates.CertificateAuthority.LoadOrCreate(
            pkiFolder, "operators-ca", "Muster operators CA", TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(1));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        Assert.True(Domain.ResourceId.TryParse(name, out var id));
        var (signed, _) = new Cryptography.Certificates.OperatorCertificateAuthority(authority, TimeSpan.FromHours(1))
            .Sign(request.CreateSigningRequestPem(), Domain.TenantId.Default, id, TimeProvider.System.GetUtcNow());
        return X509Certificate2.CreateFromPem(signed!.Pem, key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _channel.Dispose();
}
