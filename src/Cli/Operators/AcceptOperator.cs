using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cli.Session;

namespace Muster.Cli.Operators;

internal static class AcceptOperator
{
    public static Command Create()
    {
        var file = VerbOptions.Name("file", "What the administrator's 'operators add --out' wrote.");
        return new Command("accept", "Takes in your certificate: from here on this profile works.") { file }
            .Runs(async (folder, output, parsed, cancellationToken) =>
            {
                var grant = OperatorGrant.Read(parsed.GetRequiredValue(file));
                CheckKey(folder, grant);
                await File.WriteAllTextAsync(folder.CertificateFile, grant.Certificate, cancellationToken);
                await File.WriteAllTextAsync(folder.ServerAuthorityFile, grant.ServerAuthority, cancellationToken);
                folder.Write(grant.Profile);
                await output.LineAsync($"{grant.Profile.Operator} at {grant.Profile.Server}, in {folder.Path}");
            });
    }

    private static void CheckKey(ProfileFolder folder, OperatorGrant grant)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(grant.Certificate, ProfileFolder.ReadText(folder.KeyFile));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new UsageException($"The certificate is not for the key in '{folder.Path}'.", exception);
        }
    }
}
