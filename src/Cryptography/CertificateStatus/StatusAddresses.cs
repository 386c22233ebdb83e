using System.Globalization;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>
/// Where relying parties find what became of a certificate, as it stands in the certificate itself (RFC 5280 4.2.1.13, 4.2.2.1).
/// </summary>
public sealed class StatusAddresses
{
    /// <summary>It stands in every certificate, twice.</summary>
    public const int BaseLengthMax = 200;

    private readonly string _base;

    private StatusAddresses(string address) => _base = address;

    /// <summary>Null with a sentence that says what an address has to be.</summary>
    public static (StatusAddresses? Addresses, string? Fault) Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.Length <= BaseLengthMax
                && address.All(char.IsAscii)
                && Uri.TryCreate(address, UriKind.Absolute, out var uri)
                && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
                && uri is { Query: "", Fragment: "", UserInfo: "" }
            ? (new StatusAddresses(uri.AbsoluteUri.TrimEnd('/')), null)
            : (null, $"'{address}' is no address of the form http://HOST[:PORT][/PATH] of at most {BaseLengthMax} ASCII characters.");
    }

    public string ListOf(int generation) => string.Create(CultureInfo.InvariantCulture, $"{_base}/crl/fleet-ca-{generation}.crl");

    public string Responder => $"{_base}/ocsp";

    internal IEnumerable<X509Extension> ExtensionsOf(int generation) =>
    [
        CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([ListOf(generation)]),
        new X509AuthorityInformationAccessExtension(ocspUris: [Responder], caIssuersUris: null),
    ];
}
