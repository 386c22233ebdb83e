using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Contracts.Operators;
using Muster.Cryptography.Certificates;
using Muster.Domain;

namespace Muster.Silo.Hosting;

/// <summary>
/// Makes the first administrator once, with a profile where the CLI finds it: <c>operators/administrator</c> in the data folder.
/// A start that was killed half-way is repeated with the same request.
/// </summary>
internal sealed partial class Administrator(
    HostSettings settings, HostPki pki, IGrainFactory grains, IConfiguration configuration, ILogger<Administrator> logger)
{
    public const string Name = "administrator";

    private string Folder => Path.Combine(settings.DataFolder, "operators", Name);

    public async Task EnsureAsync()
    {
        var certificateFile = Path.Combine(Folder, "operator.pem");
        if (File.Exists(certificateFile))
        {
            return;
        }

        PrivateFile.CreateFolder(Folder);
        if (!ResourceId.TryParse(Name, out var id))
        {
            throw new InvalidOperationException($"'{Name}' is not an operator's name.");
        }

        var reply = await grains.GetOperator(TenantId.Default, id).BootstrapAsync(new BootstrapAdministrator(SigningRequest()));
        if (reply.Account is not { } account)
        {
            // Made by another host of this installation, or this folder was lost: only the key that was made then can call.
            LogMadeElsewhere(Folder, reply.Error?.Message ?? "");
            return;
        }

        var port = configuration.GetValue("Muster:Grpc:Port", 7443);
        var profile = new { server = $"https://localhost:{port}", @operator = Name, tenant = TenantId.Default.Value };
        PrivateFile.Write(Path.Combine(Folder, "profile.json"), JsonSerializer.Serialize(profile) + "\n");
        PrivateFile.Write(Path.Combine(Folder, "server-ca.pem"), pki.ServerAuthorityPem);
        PrivateFile.Write(certificateFile, account.Certificate.Pem);
    }

    /// <summary>The request of this folder's key; kept, because an ECDSA signature differs each time and the request is compared.</summary>
    private string SigningRequest()
    {
        var requestFile = Path.Combine(Folder, "operator.csr");
        if (File.Exists(requestFile))
        {
            return File.ReadAllText(requestFile);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        PrivateFile.Write(Path.Combine(Folder, "operator.key"), key.ExportPkcs8PrivateKeyPem());
        PrivateFile.Write(requestFile, request);
        return request;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No administrator's profile was written to {Folder}: {Error} Use the profile that was made at the first start")]
    private partial void LogMadeElsewhere(string folder, string error);
}
