using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Hosting;

/// <summary>
/// The server certificate that somebody else made for this gateway: <c>server.pem</c> (with its intermediates) and <c>server.key</c>.
/// A renewed one is taken within a minute, for new connections; one that cannot be read leaves the old one in place.
/// </summary>
internal sealed partial class FolderServerCertificate : IServerCertificate
{
    public const string CertificateFile = "server.pem";

    public const string KeyFile = "server.key";

    /// <summary>Looked at on handshakes, at most this often.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _clock;
    private readonly ILogger<FolderServerCertificate> _logger;
    private SslStreamCertificateContext _context;
    private DateTime _writtenAt;
    private long _checkedAt;

    public FolderServerCertificate(string folder, TimeProvider clock, ILogger<FolderServerCertificate> logger)
    {
        _certificatePath = Path.Combine(folder, CertificateFile);
        _keyPath = Path.Combine(folder, KeyFile);
        (_clock, _logger) = (clock, logger);
        if (!File.Exists(_certificatePath) || !File.Exists(_keyPath))
        {
            throw new StartRefusedException(
                $"{folder} has no {CertificateFile} and {KeyFile}: a gateway gets its certificate from outside and never holds "
                + "a CA's key.");
        }

        try
        {
            (_context, _writtenAt) = (Load(), WrittenAt());
        }
        catch (Exception fault) when (fault is CryptographicException or InvalidOperationException or IOException)
        {
            throw new StartRefusedException($"The server certificate in {folder} cannot be used: {fault.Message}", fault);
        }

        _checkedAt = clock.GetTimestamp();
    }

    public SslStreamCertificateContext Context
    {
        get
        {
            lock (_gate)
            {
                if (_clock.GetElapsedTime(_checkedAt) >= CheckInterval)
                {
                    _checkedAt = _clock.GetTimestamp();
                    Renew();
                }

                return _context;
            }
        }
    }

    private void Renew()
    {
        try
        {
            var writtenAt = WrittenAt();
            if (writtenAt != _writtenAt)
            {
                (_context, _writtenAt) = (Load(), writtenAt);
            }
        }
        catch (Exception fault) when (fault is CryptographicException or InvalidOperationException or IOException)
        {
            // Half-written, or of another key: looked at again in a minute. One that stays so must be seen before the old one ends.
            LogNotTaken(fault, _certificatePath);
        }
    }

    private DateTime WrittenAt()
    {
        var (certificate, key) = (File.GetLastWriteTimeUtc(_certificatePath), File.GetLastWriteTimeUtc(_keyPath));
        return certificate > key ? certificate : key;
    }

    private SslStreamCertificateContext Load()
    {
        PrivateFile.RequirePrivate(_keyPath);
        var certificate = X509Certificate2.CreateFromPemFile(_certificatePath, _keyPath);
        var bundle = new X509Certificate2Collection();
        bundle.ImportFromPemFile(_certificatePath);
        var others = bundle.Where(other => other.Thumbprint != certificate.Thumbprint).ToArray();
        return SslStreamCertificateContext.Create(certificate, [.. others], offline: true);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The renewed server certificate {File} cannot be used yet; the old one stays, and it is looked at again in a minute")]
    private partial void LogNotTaken(Exception fault, string file);
}
