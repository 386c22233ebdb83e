using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cli.Session;

namespace Muster.Cli.Operators;

internal static class RequestOperator
{
    public static Command Create()
    {
        var name = VerbOptions.Name("name", "Your operator id: lower-case letters, digits and hyphens.");
        const string Description = "Makes your key, which never leaves your profile, and a request for an administrator to sign.";
        return new Command("request", Description) { name }
            .Runs(async (folder, output, parsed, cancellationToken) =>
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var subject = new X500DistinguishedNameBuilder();
                subject.AddCommonName(parsed.GetRequiredValue(name));
                var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
                folder.WriteKey(key.ExportPkcs8PrivateKeyPem() + "\n");
                await File.WriteAllTextAsync(folder.RequestFile, request.CreateSigningRequestPem() + "\n", cancellationToken);
                await output.LineAsync(folder.RequestFile);
                await output.NoteAsync("Give this file to an administrator:");
                await output.NoteAsync(
                    $"  muster operators add {parsed.GetRequiredValue(name)} --role approver --request {folder.RequestFile} --out FILE");
                await output.NoteAsync($"and take in what it writes: muster --profile {folder.Path} operators accept FILE");
            });
    }
}
