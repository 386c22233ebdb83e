using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cli.Operators;
using Muster.Cli.Session;

namespace Muster.Cli.Tests;

internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("muster-cli-").FullName;

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class TestProfiles
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    /// <summary>A profile that is whole, for a server that nobody runs.</summary>
    public static async Task MakeAsync(TestFolder folder, string server)
    {
        await CommandLineTests.RunAsync("operators", "request", "anna", "--profile", folder.Path);
        await WriteGrantAsync(folder.In("grant.json"), folder.In("operator.key"), server);
        var (code, _, error) = await CommandLineTests.RunAsync("operators", "accept", folder.In("grant.json"), "--profile", folder.Path);
        Assert.True(code == ExitCodes.Done, error);
    }

    public static async Task WriteGrantAsync(string file, string keyFile, string server = "https://localhost:7443")
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(keyFile));
        using var certificate = new CertificateRequest("CN=anna", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now, Now.AddDays(1));
        var pem = certificate.ExportCertificatePem();
        await File.WriteAllTextAsync(file, new OperatorGrant(new Profile(server, "anna"), pem, pem).ToJson());
    }
}
