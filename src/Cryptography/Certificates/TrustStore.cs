using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>How a chain ended.</summary>
public enum ChainState
{
    /// <summary>It ends in a trusted root, and every certificate in it is valid at the instant asked for.</summary>
    Trusted = 1,

    /// <summary>It ends in a trusted root, and at least one certificate is not valid at that instant.</summary>
    Expired = 2,

    /// <summary>Trusted and valid, but a certificate of the chain does not allow the usage asked for.</summary>
    WrongUsage = 3,

    /// <summary>Anything else.</summary>
    Untrusted = 4,
}

/// <summary>The end of a chain.</summary>
/// <param name="State">How it ended.</param>
/// <param name="Root">Subject of the trusted root; null when untrusted.</param>
/// <param name="IssuerKey">SubjectPublicKeyInfo of the certificate directly above, DER; empty when untrusted.</param>
public sealed record ChainVerdict(ChainState State, X500DistinguishedName? Root, ReadOnlyMemory<byte> IssuerKey)
{
    /// <summary>Fingerprints of the certificates above the one that was followed, the root's last; empty when untrusted.</summary>
    public ImmutableArray<Sha256Hash> Above { get; init; } = [];

    /// <summary>No chain, or one that nothing may rest on.</summary>
    public static ChainVerdict Untrusted { get; } = new(ChainState.Untrusted, null, default);
}

/// <summary>
/// Trusted roots and the intermediates under them, loaded once. Nothing else is trusted: not the system's roots, and nothing is
/// downloaded. There is no revocation here: device identities name no revocation list.
/// </summary>
public sealed class TrustStore
{
    /// <summary>Some hundred vendors with a few roots each; a folder with more is not a trust folder.</summary>
    public const int CertificatesMax = 1024;

    /// <summary>A file holds a bundle of certificates of 1 to 2 KiB each.</summary>
    public const long FileBytesMax = 4 * 1024 * 1024;

    /// <summary>Intermediates that a peer may bring along; real chains have one or two.</summary>
    public const int PresentedMax = 8;

    private readonly X509Certificate2Collection _roots = [];
    private readonly X509Certificate2Collection _intermediates = [];

    public TrustStore(IEnumerable<X509Certificate2> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        foreach (var certificate in certificates)
        {
            if (_roots.Count + _intermediates.Count == CertificatesMax)
            {
                throw new InvalidOperationException($"A trust store holds at most {CertificatesMax} certificates.");
            }

            (IsRoot(certificate) ? _roots : _intermediates).Add(certificate);
        }
    }

    /// <summary>Roots and intermediates.</summary>
    public IEnumerable<X509Certificate2> Certificates => _roots.Concat(_intermediates);

    /// <summary>How many roots are trusted; none means that nobody is.</summary>
    public int RootCount => _roots.Count;

    /// <summary>The subjects of the trusted roots, for a log.</summary>
    public ImmutableArray<string> RootSubjects => [.. _roots.Select(root => root.Subject)];

    /// <summary>What is trusted itself has issued itself.</summary>
    internal static bool IsRoot(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    internal static Sha256Hash HashOf(X509Certificate2 certificate) =>
        Sha256Hash.Of(SHA256.HashData(certificate.RawDataMemory.Span));

    /// <summary>Loads every <c>*.pem</c> of a folder, ordinal order; a missing folder gives an empty store.</summary>
    public static TrustStore Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var certificates = new X509Certificate2Collection();
        if (Directory.Exists(folder))
        {
            foreach (var path in Directory.EnumerateFiles(folder, "*.pem").Order(StringComparer.Ordinal))
            {
                if (new FileInfo(path).Length > FileBytesMax)
                {
                    throw new InvalidOperationException($"The trust file '{path}' is larger than {FileBytesMax} bytes.");
                }

                certificates.ImportFromPemFile(path);
            }
        }

        return new TrustStore(certificates);
    }

    /// <summary>A store of the certificates in a PEM text.</summary>
    public static TrustStore FromPem(string pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(pem);
        return new TrustStore(certificates);
    }

    /// <summary>Whether a certificate of the store, root or intermediate, has this name and this key (SubjectPublicKeyInfo, DER).</summary>
    public bool Holds(X500DistinguishedName name, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var candidate in _intermediates.Concat(_roots))
        {
            if (candidate.SubjectName.RawData.AsSpan().SequenceEqual(name.RawData)
                && candidate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Follows a certificate to a trusted root. Below the root every signature is made with SHA-2 and every authority has a strong key
    /// (<see cref="CertificateFacts.HasStrongKey"/>). <paramref name="usage"/> is an extended key usage that every certificate that has
    /// the extension must allow; null asks for none.
    /// </summary>
    public ChainVerdict Follow(
        X509Certificate2 certificate, X509Certificate2Collection? presented, DateTimeOffset now, Oid? usage = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        chain.ChainPolicy.ExtraStore.AddRange(_intermediates);
        foreach (var extra in presented?.Take(PresentedMax) ?? [])
        {
            chain.ChainPolicy.ExtraStore.Add(extra);
        }

        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        if (usage is not null)
        {
            chain.ChainPolicy.ApplicationPolicy.Add(usage);
        }

        try
        {
            return Judge(chain, chain.Build(certificate));
        }
        catch (CryptographicException)
        {
            return ChainVerdict.Untrusted;
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    private static ChainVerdict Judge(X509Chain chain, bool isBuilt)
    {
        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        var state = flags switch
        {
            X509ChainStatusFlags.NoError when isBuilt => ChainState.Trusted,
            X509ChainStatusFlags.NotTimeValid => ChainState.Expired,
            X509ChainStatusFlags.NotValidForUsage => ChainState.WrongUsage,
            (X509ChainStatusFlags.NotValidForUsage | X509ChainStatusFlags.NotTimeValid) => ChainState.Expired,
            _ => ChainState.Untrusted,
        };
        var elements = chain.ChainElements;
        if (state == ChainState.Untrusted || elements.SkipLast(1).Any(IsWeak))
        {
            return ChainVerdict.Untrusted;
        }

        return new ChainVerdict(
            state,
            new X500DistinguishedName(elements[^1].Certificate.SubjectName.RawData),
            elements[Math.Min(1, elements.Count - 1)].Certificate.PublicKey.ExportSubjectPublicKeyInfo())
        {
            Above = [.. elements.Skip(1).Select(element => HashOf(element.Certificate))],
        };
    }

    /// <summary>A hash for which collisions are made, or an authority's key that can be found. A device's own is looked at apart.</summary>
    private static bool IsWeak(X509ChainElement element) =>
        !CertificateFacts.HasStrongSignature(element.Certificate)
        || (CertificateFacts.IsAuthority(element.Certificate) && !CertificateFacts.HasStrongKey(element.Certificate.PublicKey));
}
