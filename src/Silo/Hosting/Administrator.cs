using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Contracts.Operators;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Silo.Pki;

namespace Muster.Silo.Hosting;

/// <summary>
/// Makes the first administrator, with a profile where the CLI finds it: <c>operators/administrator</c> in the data folder. A start
/// that was killed half-way is repeated with the same request, and so is one on a store that was lost: the profile is good again.
/// </summary>
internal sealed partial class Administrator(
    HostSettings settings, HostPki pki, IGrainFactory grains, IConfiguration configuration, ILogger<Administrator> logger)
{
    public const string Name = "administrator";

    private string Folder => Path.Combine(settings.DataFolder, "operators", Name);

    private string RequestFile => Path.Combine(Folder, "operator.request");

    public async Task EnsureAsync()
    {
        var certificateFile = Path.Combine(Folder, "operator.pem");
        if (File.Exists(certificateFile) && !File.Exists(RequestFile))
        {
            return;
        }

        PrivateFile.CreateFolder(Folder);
        if (!ResourceId.TryParse(Name, out var id))
        {
            throw new InvalidOperationException($"'{Name}' is not an operator's name.");
        }

        var (request, key) = Prepare();
        var reply = await grains.GetOperator(TenantId.Default, id).BootstrapAsync(new BootstrapAdministrator(request));
        if (reply.Account is not { } account)
        {
            if (File.Exists(certificateFile))
            {
                return;
            }

            // Made by another host of this installation, or this folder was lost: only the key that was made then can call.
            LogMadeElsewhere(Folder, reply.Error?.Message ?? "");
            return;
        }

        if (File.Exists(certificateFile) && await File.ReadAllTextAsync(certificateFile) == account.Certificate.Pem)
        {
            return;
        }

        var port = configuration.GetValue("Muster:Grpc:Port", 7443);
        var profile = new { server = $"https://{settings.ServerNames[0]}:{port}", @operator = Name, tenant = TenantId.Default.Value };
        PrivateFile.Write(Path.Combine(Folder, "profile.json"), JsonSerializer.Serialize(profile) + "\n");
        PrivateFile.Write(Path.Combine(Folder, "server-ca.pem"), pki.ServerAuthorityPem);
        PrivateFile.Write(Path.Combine(Folder, "operator.key"), key);
        PrivateFile.Write(certificateFile, account.Certificate.Pem);
    }

    /// <summary>
    /// The key and its request, in one file that only one silo of those that share the folder can create. The request is kept,
    /// because an ECDSA signature differs each time and the grain compares it.
    /// </summary>
    private (string Request, string Key) Prepare()
    {
        if (!File.Exists(RequestFile))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
            var own = $"{RequestFile}.{Guid.NewGuid():N}";
            PrivateFile.Write(own, JsonSerializer.Serialize(new AdministratorRequest(request, key.ExportPkcs8PrivateKeyPem())));
            try
            {
                File.Move(own, RequestFile, overwrite: false);
            }
            catch (IOException) when (File.Exists(RequestFile))
            {
                // Another silo was faster; its key is the administrator's.
                File.Delete(own);
            }
        }

        var pending = JsonSerializer.Deserialize<AdministratorRequest>(File.ReadAllText(RequestFile))!;
        return (pending.Request, pending.Key);
    }

    private sealed record AdministratorRequest(string Request, string Key);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No administrator's profile was written to {Folder}: {Error} Use the profile that was made at the first start")]
    private partial void LogMadeElsewhere(string folder, string error);
}
