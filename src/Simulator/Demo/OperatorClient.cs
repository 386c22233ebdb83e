using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Muster.Protocol.V1;
using V1 = Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>One operator of the demo at the public API, with his own key.</summary>
internal sealed class OperatorClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2 _authority;

    private OperatorClient(string address, X509Certificate2 certificate, string serverCaPem)
    {
        _certificate = certificate;
        _authority = X509Certificate2.CreateFromPem(serverCaPem);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [certificate], CertificateChainPolicy = policy },
        };
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        var calls = _channel.CreateCallInvoker();
        Devices = new V1.Devices.DevicesClient(calls);
        Images = new V1.Images.ImagesClient(calls);
        Rollouts = new V1.Rollouts.RolloutsClient(calls);
        Policies = new V1.Policies.PoliciesClient(calls);
        Products = new V1.Products.ProductsClient(calls);
        Decommissions = new V1.Decommissions.DecommissionsClient(calls);
        Operators = new V1.Operators.OperatorsClient(calls);
    }

    public V1.Devices.DevicesClient Devices { get; }

    public V1.Images.ImagesClient Images { get; }

    public V1.Rollouts.RolloutsClient Rollouts { get; }

    public V1.Policies.PoliciesClient Policies { get; }

    public V1.Products.ProductsClient Products { get; }

    public V1.Decommissions.DecommissionsClient Decommissions { get; }

    public V1.Operators.OperatorsClient Operators { get; }

    public static OperatorClient Open(string address, string folder) => new(
        address,
        X509Certificate2.CreateFromPemFile(Path.Combine(folder, "operator.pem"), Path.Combine(folder, "operator.key")),
        File.ReadAllText(Path.Combine(folder, "server-ca.pem")));

    /// <summary>Another person: makes his own key, and has his request signed by this one.</summary>
    public async Task<OperatorClient> InviteAsync(
        string address, string name, OperatorRole[] roles, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var added = await Operators.CreateOperatorAsync(
            new CreateOperatorRequest
            {
                Parent = DemoRun.Parent,
                OperatorId = name,
                Operator = new Operator { Roles = { roles } },
                CertificateRequest = request,
                RequestId = $"demo-{name}",
            },
            cancellationToken: cancellationToken);
        return new OperatorClient(
            address, X509Certificate2.CreateFromPem(added.Certificate, key.ExportPkcs8PrivateKeyPem()), added.ServerCa);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
    }
}
