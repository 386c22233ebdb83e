using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Contracts.Operators;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Silo.Pki;

namespace Muster.Silo.Hosting;

/// <summary>
/// Makes the first administrator of each tenant, with a profile where the CLI finds it: <c>operators/administrator</c> in the data folder,
/// <c>operators/TENANT/administrator</c> for another tenant than <c>default</c>. A start
/// that was killed half-way is repeated with the same request, and so is one on a store that was lost: the profile is good again.
/// </summary>
internal sealed partial class Administrator(
    HostSettings settings, HostPki pki, IGrainFactory grains, IConfiguration configuration, ILogger<Administrator> logger)
{
    public const string Name = "administrator";

    public async Task EnsureAsync()
    {
        foreach (var tenant in settings.Tenants.Tenants)
        {
            await EnsureAsync(tenant);
        }
    }

    private string FolderOf(TenantId tenant) => tenant == TenantId.Default
        ? Path.Combine(settings.DataFolder, "operators", Name)
        : Path.Combine(settings.DataFolder, "operators", tenant.Value, Name);

    private async Task EnsureAsync(TenantId tenant)
    {
        var folder = FolderOf(tenant);
        var requestFile = Path.Combine(folder, "operator.request");
        var certificateFile = Path.Combine(folder, "operator.pem");
        if (File.Exists(certificateFile) && !File.Exists(requestFile))
        {
            return;
        }

        PrivateFile.CreateFolder(folder);
        if (!ResourceId.TryParse(Name, out var id))
        {
            throw new InvalidOperationException($"'{Name}' is not an operator's name.");
        }

        var (request, key) = Prepare(requestFile);
        var reply = await grains.GetOperator(tenant, id).BootstrapAsync(new BootstrapAdministrator(request));
        if (reply.Account is not { } account)
        {
            if (File.Exists(certificateFile))
            {
                return;
            }

            // Made by another host of this installation, or this folder was lost: only the key that was made then can call.
            LogMadeElsewhere(folder, reply.Error?.Message ?? "");
            return;
        }

        if (File.Exists(certificateFile) && await File.ReadAllTextAsync(certificateFile) == account.Certificate.Pem)
        {
            return;
        }

        var port = configuration.GetValue("Muster:Grpc:Port", 7443);
        var profile = new { server = $"https://{settings.ServerNames[0]}:{port}", @operator = Name, tenant = tenant.Value };
        PrivateFile.Write(Path.Combine(folder, "profile.json"), JsonSerializer.Serialize(profile) + "\n");
        PrivateFile.Write(Path.Combine(folder, "server-ca.pem"), pki.ServerAuthorityPem);
        PrivateFile.Write(Path.Combine(folder, "operator.key"), key);
        PrivateFile.Write(certificateFile, account.Certificate.Pem);
    }

    /// <summary>
    /// The key and its request, in one file that only one silo of those that share the folder can create. The request is kept,
    /// because an ECDSA signature differs each time and the grain compares it.
    /// </summary>
    private static (string Request, string Key) Prepare(string requestFile)
    {
        if (!File.Exists(requestFile))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
            var own = $"{requestFile}.{Guid.NewGuid():N}";
            PrivateFile.Write(own, JsonSerializer.Serialize(new AdministratorRequest(request, key.ExportPkcs8PrivateKeyPem())));
            try
            {
                File.Move(own, requestFile, overwrite: false);
            }
            catch (IOException) when (File.Exists(requestFile))
            {
                // Another silo was faster; its key is the administrator's.
                File.Delete(own);
            }
        }

        var pending = JsonSerializer.Deserialize<AdministratorRequest>(File.ReadAllText(requestFile))!;
        return (pending.Request, pending.Key);
    }

    private sealed record AdministratorRequest(string Request, string Key);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No administrator's profile was written to {Folder}: {Error} Use the profile that was made at the first start")]
    private partial void LogMadeElsewhere(string folder, string error);
}
