using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.CertificateStatus;
using Muster.Cryptography.Pkcs11;
using Muster.ServiceDefaults;

namespace Muster.Silo.Pki;

/// <summary>
/// What stands in a folder of a fleet CA whose key is in a hardware module: <c>fleet-ca-N.pkcs11</c>, the key's URI, which is no secret,
/// and <c>fleet-ca-N.serials</c>, the secret that its serial numbers are recognised by, because that cannot be drawn from a key that nobody
/// reads.
/// </summary>
internal static class TokenFolder
{
    /// <summary>Keys that Muster makes have this before the CA's name: a token is often shared.</summary>
    private const string LabelPrefix = "muster-";

    /// <summary>A module in a network needs some seconds to start; orchestrators wait longer for a silo.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    public static string[] FilesOf(string name) => [$"{name}.pkcs11", $"{name}.serials"];

    public static bool Holds(string folder, string name) => File.Exists(Path.Combine(folder, $"{name}.pkcs11"));

    /// <summary>Null for no text; refuses what is no URI.</summary>
    public static TokenUri? ParseOrNull(string text, string what)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var (uri, fault) = TokenUri.Parse(text);
        return uri ?? throw new StartRefusedException(
            $"{what} is not as RFC 7512 says: {fault}. An example: pkcs11:token=fleet?module-path=/usr/lib/softhsm/libsofthsm2.so"
            + "&pin-source=/etc/muster/pin");
    }

    /// <summary>The CA with its key in the module; refuses the start when it cannot sign.</summary>
    public static FleetAuthority Open(
        string folder, int generation, TokenUri? here, bool isGroupReadAllowed, FleetTokens tokens, StatusAddresses? addresses)
    {
        var name = FleetFolder.NameOf(generation);
        var (uriFile, serialsFile) = (Path.Combine(folder, $"{name}.pkcs11"), Path.Combine(folder, $"{name}.serials"));
        if (File.Exists(Path.Combine(folder, $"{name}.key")))
        {
            throw new StartRefusedException($"{folder} has {name}.key and {name}.pkcs11: take away the one that is not {name}.pem's.");
        }

        if (!File.Exists(serialsFile))
        {
            throw new StartRefusedException($"{folder} has {name}.pkcs11 and no {name}.serials: both were made by '{PkiCommand.Verb}'.");
        }

        var uri = ParseOrNull(File.ReadAllText(uriFile).Trim(), uriFile)
            ?? throw new StartRefusedException($"{uriFile} is empty: it has the key's URI (pkcs11:…).");
        var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, $"{name}.pem"));
        return Refusing(name, () =>
        {
            PrivateFile.RequireOwnerOnly(serialsFile, isGroupReadAllowed, "secret of a CA's serial numbers");
            var secret = Convert.FromBase64String(File.ReadAllText(serialsFile).Trim());
            var key = tokens.Open(here is null ? uri : uri.ReachedBy(here), certificate, secret);
            return new FleetAuthority(certificate, key, generation, addresses);
        });
    }

    /// <summary>
    /// Makes a CA in the module. The certificate is written last: without it the CA is not there, and what was begun is gone on with.
    /// </summary>
    public static string Create(string folder, int generation, DateTimeOffset from, TokenUri uri, FleetTokens tokens)
    {
        var name = FleetFolder.NameOf(generation);
        PrivateFile.CreateFolder(folder);
        var uriFile = Path.Combine(folder, $"{name}.pkcs11");
        var begun = File.Exists(uriFile) ? ParseOrNull(File.ReadAllText(uriFile).Trim(), uriFile) : null;
        var made = Refusing(name, () => tokens.Create(
            begun ?? uri, LabelPrefix + name, FleetFolder.CommonNameOf(generation), from, HostPki.AuthorityLifetime));
        PrivateFile.Write(uriFile, made.Key + "\n");
        PrivateFile.Write(
            Path.Combine(folder, $"{name}.serials"),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(FleetTokens.SerialSecretBytes)) + "\n");
        PrivateFile.Write(Path.Combine(folder, $"{name}.pem"), made.CertificatePem);
        var did = made.IsKeyNew ? "was made in" : "was there in";
        return $"{name}: its key {made.Key.Which} {did} {made.Key.Where} and does not leave it; {name}.pkcs11 says where it is";
    }

    private static T Refusing<T>(string name, Func<T> open)
    {
        // A library cannot be interrupted. On a thread of its own, one that hangs does not keep the start from ending with a sentence.
        var opening = Task.Factory.StartNew(open, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return opening.WaitAsync(StartPatience).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is TokenException or KeyFileExposedException)
        {
            throw new StartRefusedException($"{name}: {fault.Message}");
        }
        catch (TimeoutException)
        {
            throw new StartRefusedException(
                $"{name}: the hardware module has not answered for {StartPatience.TotalSeconds} s: see that it can be reached and does not "
                + "hang, and start again.");
        }
    }
}
