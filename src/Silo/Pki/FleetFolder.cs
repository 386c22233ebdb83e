using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.CertificateStatus;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Pkcs11;
using Muster.ServiceDefaults;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>
/// The fleet's CAs in a folder: <c>fleet-ca-N.pem</c> and, where certificates are signed, <c>fleet-ca-N.key</c> or the files that say where
/// the key is in a hardware module (<see cref="TokenFolder"/>). A CA signs from its own
/// beginning on, so that all silos change at the same instant and nothing has to tell them.
/// </summary>
internal static class FleetFolder
{
    public const int First = 1;

    /// <summary>A rolled CA signs after this by default: a week to give its files to all hosts and relying parties.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromDays(7);

    public static string NameOf(int generation) => string.Create(CultureInfo.InvariantCulture, $"{FleetTrust.FilePrefix}{generation}");

    public static string CommonNameOf(int generation) => string.Create(CultureInfo.InvariantCulture, $"Muster fleet CA {generation}");

    /// <summary>What a silo needs of the fleet's CAs and does not find: one with its key, in a file or in a module.</summary>
    public static IEnumerable<string> MissingIn(string folder)
    {
        var generations = GenerationsOf(folder);
        return generations.Any(generation => HasKey(folder, generation))
            ? []
            : generations.Count > 0 ? [$"{NameOf(generations[^1])}.key"] : [$"{NameOf(First)}.pem", $"{NameOf(First)}.key"];
    }

    /// <summary>All CAs whose keys are here or in a module; the first one is made if there is none.</summary>
    public static (FleetAuthorities Authorities, FleetTokens Tokens) Open(HostSettings settings, DateTimeOffset now)
    {
        var addresses = AddressesOf(settings);
        var here = TokenFolder.ParseOrNull(settings.Pkcs11, "Muster:Pki:Pkcs11");
        var folder = settings.PkiFolder;
        var tokens = new FleetTokens(settings.AllowsGroupRead, TimeProvider.System);
        if (GenerationsOf(folder).Count == 0)
        {
            Create(folder, First, now, here, tokens);
        }

        // A CA without its key is one whose certificates have all ended: it is trusted as long as it is here, and signs nothing.
        return (
            new FleetAuthorities([.. GenerationsOf(folder).Where(generation => HasKey(folder, generation)).Select(generation =>
                TokenFolder.Holds(folder, NameOf(generation))
                    ? TokenFolder.Open(folder, generation, here, settings.AllowsGroupRead, tokens, addresses)
                    : new FleetAuthority(Load(folder, generation, now, settings.AllowsGroupRead), generation, addresses))]),
            tokens);
    }

    /// <summary>Makes the first CA if it is not there; says what was done with a module, if its key is in one.</summary>
    public static string? CreateFirst(string folder, DateTimeOffset now, TokenUri? uri)
    {
        if (GenerationsOf(folder).Count > 0)
        {
            return uri is null ? null : throw new StartRefusedException(
                $"{folder} has a fleet CA already, whose key stays where it is: '{PkiCommand.RollVerb}' makes the next one in the module.");
        }

        using var tokens = new FleetTokens(isGroupReadAllowed: false, TimeProvider.System);
        return Create(folder, First, now, uri, tokens);
    }

    /// <summary>Makes the CA that follows the newest.</summary>
    public static (int Generation, string? Said) CreateNext(string folder, DateTimeOffset from, DateTimeOffset now, TokenUri? uri)
    {
        var generations = GenerationsOf(folder);
        if (generations.Count == 0)
        {
            throw new StartRefusedException($"{folder} has no {NameOf(First)}.pem: there is no CA to follow.");
        }

        if (generations.Count == FleetTrust.GenerationsMax)
        {
            throw new StartRefusedException(
                $"{folder} has {FleetTrust.GenerationsMax} CAs: take away those whose certificates have all ended.");
        }

        using var newest = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, $"{NameOf(generations[^1])}.pem"));
        if (newest.NotBefore.ToUniversalTime() > now || from <= newest.NotBefore.ToUniversalTime())
        {
            throw new StartRefusedException($"{NameOf(generations[^1])} has not begun yet: it is followed when it has.");
        }

        if (from < now)
        {
            throw new StartRefusedException($"{from:yyyy-MM-ddTHH:mm:ssZ} is over: a CA begins in the future.");
        }

        using var tokens = new FleetTokens(isGroupReadAllowed: false, TimeProvider.System);
        return (generations[^1] + 1, Create(folder, generations[^1] + 1, from, uri, tokens));
    }

    /// <summary>Copies all CAs to another folder.</summary>
    public static void Copy(string source, string target, bool withKeys)
    {
        foreach (var name in GenerationsOf(source).Select(NameOf))
        {
            PrivateFile.Write(Path.Combine(target, $"{name}.pem"), File.ReadAllText(Path.Combine(source, $"{name}.pem")));
            foreach (var file in KeyFilesOf(name).Where(file => withKeys && File.Exists(Path.Combine(source, file))))
            {
                PrivateFile.Write(Path.Combine(target, file), File.ReadAllText(Path.Combine(source, file)));
            }
        }
    }

    private static string[] KeyFilesOf(string name) => [$"{name}.key", .. TokenFolder.FilesOf(name)];

    private static bool HasKey(string folder, int generation) =>
        File.Exists(Path.Combine(folder, $"{NameOf(generation)}.key")) || TokenFolder.Holds(folder, NameOf(generation));

    private static StatusAddresses? AddressesOf(HostSettings settings)
    {
        if (settings.StatusBaseUrl.Length == 0)
        {
            return null;
        }

        var (addresses, fault) = StatusAddresses.Parse(settings.StatusBaseUrl);
        return fault is null ? addresses : throw new StartRefusedException($"Muster:CertificateStatus:BaseUrl: {fault}");
    }

    private static string? Create(string folder, int generation, DateTimeOffset from, TokenUri? uri, FleetTokens tokens)
    {
        if (uri is not null)
        {
            return TokenFolder.Create(folder, generation, from, uri, tokens);
        }

        Load(folder, generation, from, false).Dispose();
        return null;
    }

    private static List<int> GenerationsOf(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.EnumerateFiles(folder, $"{FleetTrust.FilePrefix}*.pem").Select(FleetTrust.GenerationOf).Order()];

    private static CertificateAuthority Load(string folder, int generation, DateTimeOffset from, bool isGroupReadAllowed) =>
        HostPki.Load(folder, NameOf(generation), CommonNameOf(generation), from, isGroupReadAllowed);
}
