using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.CertificateStatus;
using Muster.Cryptography.Certificates;
using Muster.ServiceDefaults;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>
/// The fleet's CAs in a folder: <c>fleet-ca-N.pem</c> and, where certificates are signed, <c>fleet-ca-N.key</c>. A CA signs from its own
/// beginning on, so that all silos change at the same instant and nothing has to tell them.
/// </summary>
internal static class FleetFolder
{
    public const int First = 1;

    /// <summary>A rolled CA signs after this by default: a week to give its files to all hosts and relying parties.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromDays(7);

    public static string NameOf(int generation) => string.Create(CultureInfo.InvariantCulture, $"{FleetTrust.FilePrefix}{generation}");

    /// <summary>All CAs whose keys are here; the first one is made if there is none.</summary>
    public static FleetAuthorities Open(HostSettings settings, DateTimeOffset now)
    {
        StatusAddresses? addresses = null;
        if (settings.StatusBaseUrl.Length > 0)
        {
            (addresses, var fault) = StatusAddresses.Parse(settings.StatusBaseUrl);
            if (fault is not null)
            {
                throw new StartRefusedException($"Muster:CertificateStatus:BaseUrl: {fault}");
            }
        }

        var folder = settings.PkiFolder;
        if (GenerationsOf(folder).Count == 0)
        {
            CreateFirst(folder, now);
        }

        // A CA without its key is one whose certificates have all ended: it is trusted as long as it is here, and signs nothing.
        var generations = GenerationsOf(folder).Where(generation => File.Exists(Path.Combine(folder, $"{NameOf(generation)}.key")));
        return new FleetAuthorities([.. generations.Select(generation =>
            new FleetAuthority(Load(folder, generation, now, settings.AllowsGroupRead), generation, addresses))]);
    }

    /// <summary>Makes the first CA if it is not there.</summary>
    public static void CreateFirst(string folder, DateTimeOffset now) => Load(folder, First, now, false).Dispose();

    /// <summary>Makes the CA that follows the newest.</summary>
    public static int CreateNext(string folder, DateTimeOffset from, DateTimeOffset now)
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

        Load(folder, generations[^1] + 1, from, false).Dispose();
        return generations[^1] + 1;
    }

    /// <summary>Copies all CAs to another folder.</summary>
    public static void Copy(string source, string target, bool withKeys)
    {
        foreach (var name in GenerationsOf(source).Select(NameOf))
        {
            PrivateFile.Write(Path.Combine(target, $"{name}.pem"), File.ReadAllText(Path.Combine(source, $"{name}.pem")));
            var key = Path.Combine(source, $"{name}.key");
            if (withKeys && File.Exists(key))
            {
                PrivateFile.Write(Path.Combine(target, $"{name}.key"), File.ReadAllText(key));
            }
        }
    }

    private static List<int> GenerationsOf(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.EnumerateFiles(folder, $"{FleetTrust.FilePrefix}*.pem").Select(FleetTrust.GenerationOf).Order()];

    private static CertificateAuthority Load(string folder, int generation, DateTimeOffset from, bool isGroupReadAllowed) =>
        HostPki.Load(folder, NameOf(generation), $"Muster fleet CA {generation}", from, isGroupReadAllowed);
}
