using System.Formats.Asn1;
using Muster.Cryptography.Certificates;
using static Muster.Cryptography.Tests.TestClock;

namespace Muster.Cryptography.Tests.Certificates;

/// <summary>What a forger holds: names as real ones, keys of his own or of a real authority, and every field at will.</summary>
internal sealed record Forgery
{
    public const string Axis = "Axis Communications AB";
    public const string Mac = "b8a44f000001";

    /// <summary>A subject as openssl writes it; a plus joins what belongs to one set.</summary>
    public string Subject { get; init; } = $"/C=SE/L=Lund/O={Axis}/CN=axis-{Mac}-eccp256-1/serialNumber={Mac}";

    public AsymmetricAlgorithm Key { get; init; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public DateTimeOffset From { get; init; } = Now.AddDays(-1);

    public DateTimeOffset To { get; init; } = Now.AddYears(30);

    public IReadOnlyList<X509Extension> Extensions { get; init; } = [];

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    public static Forgery Authority(string subject, int pathLength = 0) => new()
    {
        Subject = subject,
        Extensions =
        [
            new X509BasicConstraintsExtension(true, true, pathLength, critical: true),
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true),
        ],
    };

    /// <summary>With its key, signed by <paramref name="issuer"/> or by itself; whether the issuer may is not asked.</summary>
    public X509Certificate2 Sign(X509Certificate2? issuer = null)
    {
        var name = Name(Subject);
        var request = Key is RSA rsa
            ? new CertificateRequest(name, rsa, Hash, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)Key, Hash);
        foreach (var extension in Extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        if (issuer is null)
        {
            return request.CreateSelfSigned(From, To);
        }

        var signed = request.Create(
            issuer.SubjectName, Generator(issuer), From, To, RandomNumberGenerator.GetBytes(15));
        return Key is RSA own ? signed.CopyWithPrivateKey(own) : signed.CopyWithPrivateKey((ECDsa)Key);
    }

    /// <summary>Flips one bit, counted from the end.</summary>
    public static X509Certificate2 Tamper(X509Certificate2 certificate, int fromEnd)
    {
        var bytes = certificate.RawData;
        bytes[^fromEnd] ^= 1;
        return X509CertificateLoader.LoadCertificate(bytes);
    }

    private static X509SignatureGenerator Generator(X509Certificate2 issuer) => issuer.GetRSAPrivateKey() is { } rsa
        ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1)
        : X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!);

    private static X500DistinguishedName Name(string subject)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var set in subject.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                using (writer.PushSetOf())
                {
                    foreach (var attribute in set.Split('+'))
                    {
                        WriteAttribute(writer, attribute[..attribute.IndexOf('=')], attribute[(attribute.IndexOf('=') + 1)..]);
                    }
                }
            }
        }

        return new X500DistinguishedName(writer.Encode());
    }

    private static void WriteAttribute(AsnWriter writer, string name, string value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(name switch
            {
                "C" => "2.5.4.6",
                "L" => "2.5.4.7",
                "O" => "2.5.4.10",
                "CN" => "2.5.4.3",
                "serialNumber" or "serialNumberBmp" => "2.5.4.5",
                _ => throw new ArgumentException($"No attribute {name}.", nameof(name)),
            });
            writer.WriteCharacterString(name == "serialNumberBmp" ? UniversalTagNumber.BMPString : UniversalTagNumber.UTF8String, value);
        }
    }
}

/// <summary>The real authorities that the forger tries to pass for, and what trusts them.</summary>
internal sealed class ForgedPki : IDisposable
{
    private readonly List<X509Certificate2> _trusted = [];

    public ForgedPki()
    {
        AxisRoot = Trust(Forgery.Authority($"/O={Forgery.Axis}/CN=Axis device ID Root CA ECC", 1).Sign());
        AxisIssuing = Trust(Forgery.Authority(AxisIssuingName).Sign(AxisRoot));
        AcmeRoot = Trust(Forgery.Authority("/O=Acme/CN=Acme device root", 1).Sign());
        AcmeIssuing = Trust(Forgery.Authority("/O=Acme/CN=Acme device issuing").Sign(AcmeRoot));
    }

    public static string AxisIssuingName => $"/O={Forgery.Axis}/CN=Axis device ID Intermediate CA ECC 2";

    public X509Certificate2 AxisRoot { get; }

    public X509Certificate2 AxisIssuing { get; }

    public X509Certificate2 AcmeRoot { get; }

    public X509Certificate2 AcmeIssuing { get; }

    public string TrustPem => string.Concat(_trusted.Select(certificate => certificate.ExportCertificatePem() + "\n"));

    public X509Certificate2 Trust(X509Certificate2 certificate)
    {
        _trusted.Add(certificate);
        return certificate;
    }

    public DeviceIdentityResult Verify(X509Certificate2 certificate, params X509Certificate2[] presented) =>
        new DeviceIdentityVerifier(TrustStore.FromPem(TrustPem)).Verify(certificate, [.. presented], Now);

    public void Dispose() => _trusted.ForEach(certificate => certificate.Dispose());
}
