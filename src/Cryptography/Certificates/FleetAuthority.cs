using Muster.Cryptography.CertificateStatus;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// One of the fleet's CAs: signs the operational certificates of devices (IEEE 802.1AR LDevID), and what is said of them later. Its key is
/// in silos only; a gateway has its certificate (<see cref="FleetTrust"/>). <see cref="FleetAuthorities"/> are all of them.
/// </summary>
public sealed class FleetAuthority : IDisposable
{
    /// <summary>A request with an RSA-4096 key takes 1.2 KiB; the rest is room for attributes.</summary>
    public const int RequestBytesMax = 8 * 1024;

    private readonly X509Certificate2 _certificate;
    private readonly FleetKey _key;
    private readonly OcspResponder _responder;
    private readonly StatusAddresses? _addresses;

    /// <param name="authority">The CA with its key; disposed with this.</param>
    /// <param name="generation">Which of the fleet's CAs it is.</param>
    /// <param name="addresses">Where relying parties ask for the state of its certificates; null for certificates that do not say.</param>
    public FleetAuthority(CertificateAuthority authority, int generation, StatusAddresses? addresses = null)
        : this(
            (authority ?? throw new ArgumentNullException(nameof(authority))).CopyCertificate(),
            new FileFleetKey(authority),
            generation,
            addresses)
    {
    }

    /// <param name="certificate">The CA's certificate; disposed with this.</param>
    /// <param name="key">Its key; disposed with this.</param>
    /// <param name="generation">Which of the fleet's CAs it is.</param>
    /// <param name="addresses">Where relying parties ask for the state of its certificates; null for certificates that do not say.</param>
    public FleetAuthority(X509Certificate2 certificate, FleetKey key, int generation, StatusAddresses? addresses)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(key);
        (_certificate, _key, _addresses) = (certificate, key, addresses);
        _responder = new OcspResponder(certificate, key, generation);
        Generation = generation;
        SignsFrom = new DateTimeOffset(certificate.NotBefore).ToUniversalTime() + CertificateAuthority.ClockSkew;
        NotAfter = new DateTimeOffset(certificate.NotAfter).ToUniversalTime();
    }

    public int Generation { get; }

    /// <summary>Before, the one before it signs.</summary>
    public DateTimeOffset SignsFrom { get; }

    public DateTimeOffset NotAfter { get; }

    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>Its key is in a module that may take its time: what signs waits, and not on a thread that others need.</summary>
    public bool IsSlow => _key.IsSlow;

    /// <summary>See <see cref="ICertificateIssuer.Read"/>.</summary>
    public static (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional)
    {
        ArgumentNullException.ThrowIfNull(subject);
        if (request.Length is 0 or > RequestBytesMax)
        {
            return (null, CertificateErrors.SigningRequestInvalid($"it is empty or longer than {RequestBytesMax} bytes"));
        }

        CertificateRequest read;
        try
        {
            // A key that is too large is refused before anything is verified with it: that would cost a silo milliseconds.
            if (!CertificateFacts.HasStrongKey(Load(request, CertificateRequestLoadOptions.SkipSignatureValidation).PublicKey))
            {
                return (null, CertificateErrors.SigningRequestInvalid("its key is neither RSA 2048 to 4096 nor P-256, P-384, P-521"));
            }

            // Verifies the request's own signature: whoever made it has the key. Of the extensions only the alternative name is looked
            // at; the certificate gets its own ones.
            read = Load(request, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            if (FieldOfAnother(read, subject, isNameOptional) is { } field)
            {
                return (null, CertificateErrors.SigningRequestOfAnother(subject.Device, field));
            }
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or NotSupportedException)
        {
            return (null, CertificateErrors.SigningRequestInvalid("it is not a PKCS #10 request in DER that its own key has signed"));
        }

        // One key has one encoding here: its hash is what keeps a key from a second device.
        var key = read.PublicKey.ExportSubjectPublicKeyInfo();
        return !key.AsSpan().SequenceEqual(CertificateFacts.Canonical(read.PublicKey))
            ? (null, CertificateErrors.SigningRequestInvalid("its key is not encoded as RFC 3279 and RFC 5480 say"))
            : (new RequestedCertificate(Sha256Hash.Of(SHA256.HashData(key)), [.. key]), null);
    }

    public CertificateSerial NewSerial() => _key.Serials.Next();

    /// <summary>
    /// Signs what the rules ordered. A key that can be read signs the same order with the same bytes; another one gives its signature, to
    /// be kept.
    /// </summary>
    public SignedCertificate Sign(CertificateOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        if (order.Generation != Generation)
        {
            throw new ArgumentException($"This is the fleet CA {Generation}, not {order.Generation}.", nameof(order));
        }

        return Create(order, _key.Signature, isKept: !_key.IsDeterministic);
    }

    /// <summary>
    /// The certificate of an order whose signature was kept, byte for byte and without the key; null when there is none, or when
    /// certificates say other things now than then.
    /// </summary>
    public SignedCertificate? Repeat(CertificateOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        if (order.Signature is not { } known || order.Generation != Generation)
        {
            return null;
        }

        using var key = _certificate.GetECDsaPublicKey() ?? throw new UnreachableException("A fleet CA's key is on a curve.");
        var signature = new KeptSignature(key, Convert.FromBase64String(known));
        var repeated = Create(order, signature, isKept: true);
        return signature.IsFit ? repeated : null;
    }

    private SignedCertificate Create(CertificateOrder order, X509SignatureGenerator signature, bool isKept)
    {
        var key = PublicKey.CreateFromSubjectPublicKeyInfo(order.PublicKey.AsSpan(), out _);
        var request = new CertificateRequest(OperationalName.SubjectOf(order.Subject), key, _key.Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(CertificateFacts.ClientAuthentication)], critical: false));
        request.CertificateExtensions.Add(OperationalName.AlternativeNameOf(order.Subject));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        foreach (var extension in _addresses?.ExtensionsOf(Generation) ?? [])
        {
            request.CertificateExtensions.Add(extension);
        }

        using var certificate = request.Create(
            _certificate.SubjectName, signature, order.NotBefore, order.NotAfter, order.Serial.ToBytes());
        var der = certificate.RawData;
        return new SignedCertificate([.. der], Sha256Hash.Of(SHA256.HashData(der)))
        {
            Signature = isKept ? Convert.ToBase64String(KeptSignature.Of(der)) : null,
        };
    }

    /// <summary>The list (RFC 5280), DER.</summary>
    public ImmutableArray<byte> SignList(RevocationList list) => RevocationLists.Sign(_certificate, _key, list);

    /// <summary>Whether its key should sign a certificate for its OCSP responder.</summary>
    public bool IsDelegationDue(DateTimeOffset now) => now >= _certificate.NotBefore && now < NotAfter && _responder.IsDelegationDue(now);

    /// <summary>Signs a certificate for its OCSP responder, which answers for a week with it.</summary>
    public void DelegateStatus(DateTimeOffset now) => _responder.Delegate(now);

    /// <summary>Whether an OCSP request asks for a certificate of this CA.</summary>
    internal bool IsIssuerOf(OcspQuestion question) => _responder.IsIssuerOf(question);

    /// <summary>Signs what an OCSP request asked of this CA.</summary>
    internal OcspAnswer Answer(
        OcspQuestion question, Func<int, CertificateSerial, RevokedCertificate?> find, DateTimeOffset thisUpdate, DateTimeOffset now) =>
        _responder.Answer(question, serial => _key.Serials.Contains(serial)
            ? new OcspFinding(IsKnown: true, find(Generation, serial))
            : new OcspFinding(IsKnown: false, null), thisUpdate, now);

    public void Dispose()
    {
        _responder.Dispose();
        _key.Dispose();
        _certificate.Dispose();
    }

    private static CertificateRequest Load(ReadOnlySpan<byte> request, CertificateRequestLoadOptions options)
    {
        var read = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256, out var length, options);
        return length == request.Length ? read : throw new CryptographicException("Bytes follow the request.");
    }

    /// <summary>The name in the request that is not the device's; null when all that are there are.</summary>
    private static string? FieldOfAnother(CertificateRequest request, CertificateSubject subject, bool isNameOptional)
    {
        var isNamed = request.SubjectName.EnumerateRelativeDistinguishedNames().Any();
        if ((isNamed || !isNameOptional) && !OperationalName.AreEqual(request.SubjectName, OperationalName.SubjectOf(subject)))
        {
            return "subject";
        }

        var names = request.CertificateExtensions.Where(extension => extension.Oid?.Value == OperationalName.AlternativeNameOid).ToList();
        return names.Count == 0
            ? isNameOptional ? null : "subject alternative name"
            : names.All(name => name.RawData.AsSpan().SequenceEqual(OperationalName.AlternativeNameOf(subject).RawData))
                ? null
                : "subject alternative name";
    }
}
