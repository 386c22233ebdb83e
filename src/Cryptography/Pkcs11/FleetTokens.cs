using Muster.Cryptography.Certificates;
using Net.Pkcs11Interop.Common;

namespace Muster.Cryptography.Pkcs11;

/// <summary>A fleet CA whose key is in a token.</summary>
/// <param name="CertificatePem">Signed by its own key.</param>
/// <param name="Key">Names the key.</param>
/// <param name="IsKeyNew">False for a key that was there.</param>
public sealed record TokenAuthority(string CertificatePem, TokenUri Key, bool IsKeyNew);

/// <summary>
/// Fleet CAs whose keys are in hardware modules. A module is started once in a process, whatever number of keys is in it.
/// </summary>
public sealed class FleetTokens(bool isGroupReadAllowed, TimeProvider clock) : IDisposable
{
    public const int SerialSecretBytes = 32;

    private static readonly byte[] Trial = "muster fleet CA trial 1"u8.ToArray();

    private readonly Dictionary<string, TokenModule> _modules = [];

    /// <summary>
    /// Opens the key of a CA and has it sign something, so that a wrong PIN, a key that is not there, that can be taken out or that is
    /// not this certificate's is known before anybody needs it.
    /// </summary>
    /// <exception cref="TokenException">It cannot be used; the message says what to do.</exception>
    public FleetKey Open(TokenUri uri, X509Certificate2 certificate, byte[] serialSecret)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(certificate);
        var module = ModuleOf(uri);
        RequireFit(module, uri);
        var key = new TokenFleetKey(module, uri, certificate.PublicKey, serialSecret);
        try
        {
            key.Signature.SignData(Trial, key.Hash);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A CA with a key that is made in the token, or that is there under the object's name of the URI. Without a name the key is new: one
    /// that has the name of our own making is another installation's.
    /// </summary>
    /// <exception cref="TokenException">It cannot be made; the message says what to do.</exception>
    public TokenAuthority Create(TokenUri uri, string label, string commonName, DateTimeOffset from, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(uri);
        var module = ModuleOf(uri);
        var (named, isNew) = FindOrMake(module, uri, label);
        RequireFit(module, named);
        var publicKey = module.UseToken(named, session => TokenObjects.PublicKeyOf(session, named));
        using var key = new TokenFleetKey(module, named, publicKey, new byte[SerialSecretBytes]);
        var request = CertificateAuthority.AuthorityRequest(publicKey, key.Hash, commonName);
        using var certificate = request.Create(
            request.SubjectName,
            key.Signature,
            from - CertificateAuthority.ClockSkew,
            from + lifetime,
            CertificateAuthority.NewSerialNumber());
        return new TokenAuthority(certificate.ExportCertificatePem(), named, isNew);
    }

    public void Dispose()
    {
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }

        _modules.Clear();
    }

    private static (TokenUri Named, bool IsNew) FindOrMake(TokenModule module, TokenUri uri, string label)
    {
        var isNamed = uri.Label is not null || uri.Id is not null;
        var wanted = isNamed ? uri : uri.WithKey(label, []);

        // In one piece: when the work is done again after a fault, what the first try made is found.
        var isNew = false;
        var named = module.UseToken(wanted, session =>
        {
            var found = TokenObjects.Find(session, wanted, CKO.CKO_PRIVATE_KEY);
            if (found is not null && !isNamed && !isNew)
            {
                throw TokenException.Final(
                    $"{wanted.Where} has a key {wanted.Which} already: if it is meant for this installation, write object={label} into the "
                    + "URI, else another object= for a key that is to be made.");
            }

            if (found is null)
            {
                isNew = true;
                var name = wanted.Label ?? label;
                return wanted.WithKey(name, TokenObjects.Generate(session, name, wanted.Id));
            }

            return wanted.WithKey(TokenObjects.LabelOf(session, found), TokenObjects.IdOf(session, found));
        });
        return (named, isNew);
    }

    private static void RequireFit(TokenModule module, TokenUri uri)
    {
        if (module.Use(uri, TokenObjects.FaultOf) is { } fault)
        {
            throw TokenException.Final($"The key {uri.Which} in {uri.Where} {fault}.");
        }
    }

    private TokenModule ModuleOf(TokenUri uri)
    {
        var path = uri.ModulePath ?? throw TokenException.Final(
            $"The URI of {uri.Where} names no module: add module-path=/PATH of the library that the token's manufacturer gives.");
        if (uri.Token is null && uri.Serial is null && uri.SlotId is null)
        {
            throw TokenException.Final("The URI names no token: add token=LABEL, serial= or slot-id=.");
        }

        if (!File.Exists(path))
        {
            throw TokenException.Final(
                $"The module '{path}' is not there: install what the token's manufacturer gives, or mend module-path.");
        }

        // Two names of one file would be one library that is started twice.
        var real = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        if (!_modules.TryGetValue(real, out var module))
        {
            _modules[real] = module = new TokenModule(real, isGroupReadAllowed, clock);
        }

        return module;
    }
}
