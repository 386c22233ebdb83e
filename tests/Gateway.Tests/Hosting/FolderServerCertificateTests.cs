using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Hosting;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Tests.Hosting;

public sealed class FolderServerCertificateTests : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-certificate-").FullName;
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly Levels _log = new();
    private int _issued;

    private string CertificateFile => Path.Combine(_folder, FolderServerCertificate.CertificateFile);

    [Fact]
    public void Context_AfterARenewal_IsTheNewOneWithinAMinute()
    {
        Issue();
        var certificate = new FolderServerCertificate(_folder, _clock, _log);
        var first = certificate.Context.TargetCertificate.Thumbprint;

        Issue();
        var before = certificate.Context.TargetCertificate.Thumbprint;
        _clock.Advance(TimeSpan.FromMinutes(1));
        var after = certificate.Context.TargetCertificate.Thumbprint;

        Assert.Equal(first, before);
        Assert.NotEqual(first, after);
        Assert.Empty(_log.Said);
    }

    [Fact]
    public void Context_OfARenewalThatCannotBeRead_StaysTheOldOneAndWarns()
    {
        Issue();
        var certificate = new FolderServerCertificate(_folder, _clock, _log);
        var first = certificate.Context.TargetCertificate.Thumbprint;

        File.WriteAllText(CertificateFile, "half a certifi");
        MakeNewer();
        _clock.Advance(TimeSpan.FromMinutes(1));
        var broken = certificate.Context.TargetCertificate.Thumbprint;
        Issue();
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(first, broken);
        Assert.Equal([LogLevel.Warning], _log.Said);
        Assert.NotEqual(first, certificate.Context.TargetCertificate.Thumbprint);
    }

    [Fact]
    public void Constructor_WithoutAKey_SaysWhatIsMissing()
    {
        var refused = Assert.Throws<StartRefusedException>(() => new FolderServerCertificate(_folder, _clock, _log));

        Assert.Contains(FolderServerCertificate.KeyFile, refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>As whoever renews it: another certificate with another key, under the same CA.</summary>
    private void Issue()
    {
        var now = _clock.GetUtcNow();
        using var authority = CertificateAuthority.LoadOrCreate(Path.Combine(_folder, "ca"), "server-ca", "Test CA", now, Lifetime);
        var issued = authority.IssueServer(["localhost"], now, Lifetime);
        PrivateFile.Write(Path.Combine(_folder, FolderServerCertificate.KeyFile), issued.KeyPem);
        PrivateFile.Write(CertificateFile, issued.CertificatePem);
        MakeNewer();
    }

    /// <summary>Two writes within one tick of the file system would look like none.</summary>
    private void MakeNewer() => File.SetLastWriteTimeUtc(CertificateFile, _clock.GetUtcNow().UtcDateTime.AddHours(++_issued));

    private sealed class Levels : ILogger<FolderServerCertificate>
    {
        public List<LogLevel> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add(logLevel);
    }
}
