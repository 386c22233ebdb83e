using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Muster.Protocol.V1;
using V1 = Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>One operator of the demo at the public API, with his own key.</summary>
internal sealed class OperatorClient : IDisposable
{
    /// <summary>A host that restarts is back within this many tries, a few seconds apart at most.</summary>
    private const int AttemptsMax = 20;

    private const int PageSize = 1000;

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
            EnableMultipleHttp2Connections = true,
        };
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            ThrowOperationCanceledOnCancellation = true,
            MaxRetryAttempts = AttemptsMax,
            ServiceConfig = new ServiceConfig { MethodConfigs = { Repeating() } },
        });
        var calls = _channel.CreateCallInvoker().Intercept(new Deadline(TimeProvider.System));
        Devices = new V1.Devices.DevicesClient(calls);
        Images = new V1.Images.ImagesClient(calls);
        Rollouts = new V1.Rollouts.RolloutsClient(calls);
        Policies = new V1.Policies.PoliciesClient(calls);
        Products = new V1.Products.ProductsClient(calls);
        Decommissions = new V1.Decommissions.DecommissionsClient(calls);
        Warranties = new V1.Warranties.WarrantiesClient(calls);
        Operators = new V1.Operators.OperatorsClient(calls);
    }

    public V1.Devices.DevicesClient Devices { get; }

    public V1.Images.ImagesClient Images { get; }

    public V1.Rollouts.RolloutsClient Rollouts { get; }

    public V1.Policies.PoliciesClient Policies { get; }

    public V1.Products.ProductsClient Products { get; }

    public V1.Decommissions.DecommissionsClient Decommissions { get; }

    public V1.Warranties.WarrantiesClient Warranties { get; }

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
                Parent = Ground.Parent,
                OperatorId = name,
                Operator = new Operator { Roles = { roles } },
                CertificateRequest = request,
                RequestId = $"demo-{name}",
            },
            cancellationToken: cancellationToken);
        return new OperatorClient(
            address, X509Certificate2.CreateFromPem(added.Certificate, key.ExportPkcs8PrivateKeyPem()), added.ServerCa);
    }

    /// <summary>The name of a refusal; empty when it has none.</summary>
    public static string ReasonOf(RpcException refusal) => refusal.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason ?? "";

    public async Task<long> CountAsync(string filter, CancellationToken cancellationToken) =>
        (await Devices.CountDevicesAsync(
            new CountDevicesRequest { Parent = Ground.Parent, Filter = filter }, cancellationToken: cancellationToken)).Total;

    public async Task<Device> GetDeviceAsync(string serial, CancellationToken cancellationToken) =>
        await Devices.GetDeviceAsync(
            new GetDeviceRequest { Name = $"{Ground.Parent}/devices/{serial}" }, cancellationToken: cancellationToken);

    public async Task<Decommission> GetDecommissionAsync(string serial, CancellationToken cancellationToken) =>
        await Decommissions.GetDecommissionAsync(
            new GetDecommissionRequest { Name = $"{Ground.Parent}/decommissions/{serial}" }, cancellationToken: cancellationToken);

    /// <summary>All pages.</summary>
    public async Task<IReadOnlyList<string>> ListSerialsAsync(string filter, CancellationToken cancellationToken)
    {
        var request = new ListDevicesRequest { Parent = Ground.Parent, Filter = filter, PageSize = PageSize };
        var serials = new List<string>();
        do
        {
            var page = await Devices.ListDevicesAsync(request, cancellationToken: cancellationToken);
            serials.AddRange(page.Devices.Select(device => device.Name[(device.Name.LastIndexOf('/') + 1)..]));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return serials;
    }

    public void Dispose()
    {
        _channel.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
    }

    /// <summary>Whether a call without an answer was carried out is unknown; every call here can be repeated.</summary>
    private static MethodConfig Repeating() => new()
    {
        Names = { MethodName.Default },
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = AttemptsMax,
            InitialBackoff = TimeSpan.FromMilliseconds(200),
            MaxBackoff = TimeSpan.FromSeconds(3),
            BackoffMultiplier = 2,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };

    /// <summary>No call waits for ever; its repetitions are within the time.</summary>
    private sealed class Deadline(TimeProvider time) : Interceptor
    {
        private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(60);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var options = context.Options.WithDeadline((time.GetUtcNow() + CallTimeout).UtcDateTime);
            return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options));
        }
    }
}
