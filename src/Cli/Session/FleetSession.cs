using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Muster.Cli.Output;

namespace Muster.Cli.Session;

/// <summary>One command's connection to the server, with the operator's certificate, and its output.</summary>
internal sealed class FleetSession : IDisposable
{
    /// <summary>As the server's own limit, so that a full page always fits.</summary>
    private const int MessageBytesMax = 8 * 1024 * 1024;

    private readonly X509Certificate2 _certificate;
    private readonly GrpcChannel _channel;

    private FleetSession(Profile profile, X509Certificate2 certificate, GrpcChannel channel, OutputWriter output)
    {
        (Profile, _certificate, _channel, Output) = (profile, certificate, channel, output);
        Calls = channel.CreateCallInvoker();
    }

    public Profile Profile { get; }

    public CallInvoker Calls { get; }

    public OutputWriter Output { get; }

    public string Parent => $"tenants/{Profile.Tenant}";

    public static FleetSession Open(ProfileFolder folder, OutputWriter output, string? tenant)
    {
        var profile = folder.Read();
        profile = string.IsNullOrEmpty(tenant) ? profile : profile with { Tenant = tenant };
        if (!Uri.TryCreate(profile.Server, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            throw new UsageException($"The profile's server '{profile.Server}' is no https address.");
        }

        try
        {
            var certificate = X509Certificate2.CreateFromPem(
                ProfileFolder.ReadText(folder.CertificateFile), ProfileFolder.ReadText(folder.KeyFile));
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPem(ProfileFolder.ReadText(folder.ServerAuthorityFile));
            var handler = new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [certificate], CertificateChainPolicy = policy },
                ConnectTimeout = TimeSpan.FromSeconds(10),
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            };
            var options = new GrpcChannelOptions
            {
                HttpHandler = handler,
                DisposeHttpClient = true,
                MaxReceiveMessageSize = MessageBytesMax,
            };
            return new FleetSession(profile, certificate, GrpcChannel.ForAddress(address, options), output);
        }
        catch (CryptographicException exception)
        {
            throw new UsageException($"Key and certificates in '{folder.Path}' cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>The full name of a resource that may be given by its last segment.</summary>
    public string NameOf(string collection, string given) =>
        given.StartsWith("tenants/", StringComparison.Ordinal) ? given : $"{Parent}/{collection}/{given}";

    public void Dispose()
    {
        _channel.Dispose();
        _certificate.Dispose();
    }
}
