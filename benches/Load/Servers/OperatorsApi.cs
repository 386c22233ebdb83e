using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Muster.Protocol.V1;

namespace Muster.Load.Servers;

/// <summary>The operators' API of an installation, as the administrator of its first start.</summary>
/// <param name="DataFolder">The installation's: the profile is there.</param>
/// <param name="Port">Of the gateway that is called.</param>
internal sealed record OperatorsApi(string DataFolder, int Port)
{
    private const int CallsAtOnce = 32;

    /// <summary>What devices and operators believe.</summary>
    public string ServerCaFile => Path.Combine(Profile, "server-ca.pem");

    private string Profile => Path.Combine(DataFolder, "operators", "administrator");

    public GrpcChannel Connect()
    {
        var certificate = X509Certificate2.CreateFromPemFile(
            Path.Combine(Profile, "operator.pem"), Path.Combine(Profile, "operator.key"));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(ServerCaFile);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [certificate], CertificateChainPolicy = policy },
        };
        return GrpcChannel.ForAddress(
            $"https://localhost:{Port}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    /// <summary>Puts every device on the delivery list; their hellos enrol them.</summary>
    public async Task ExpectAsync(string[] devices)
    {
        using var channel = Connect();
        var client = new Devices.DevicesClient(channel);
        await Parallel.ForEachAsync(
            devices,
            new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce },
            async (device, cancellationToken) => await client.CreateDeviceAsync(
                new CreateDeviceRequest
                {
                    Parent = "tenants/default",
                    DeviceId = device,
                    RequestId = $"bench-{device}",
                    Device = new Device
                    {
                        Model = "P3265-V", Track = "active", Approval = EnrollmentApproval.Automatic, Warranty = new Warranty(),
                    },
                },
                cancellationToken: cancellationToken));
    }
}
