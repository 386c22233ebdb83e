using System.Diagnostics;
using Muster.Cryptography.Certificates;

namespace Muster.Scenarios.Tests;

/// <summary>A second tenant in one installation: its own administrator, its own makers, its own devices by its own server name.</summary>
public sealed class TenantTests : IAsyncLifetime
{
    private const string Serial = "ACME-000001";

    private readonly DeviceIdentityIssuer _maker = DeviceIdentityIssuer.Create("Acme", TimeProvider.System.GetUtcNow());
    private TwoTenants _site = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _site = await TwoTenants.StartAsync();
        await _site.WriteAsync("device", _maker.Issue(Serial, TimeProvider.System.GetUtcNow()));
        await File.WriteAllTextAsync(_site.In("acme.pem"), _maker.TrustPem, Stop);
    }

    [Fact]
    public async Task SecondTenant_OfOneInstallation_HasItsOwnDevicesAndOperators()
    {
        await _site.AcmeAsync("anchors", "add", "acme", _site.In("acme.pem"), "--device-profile", "ieee8021ar");
        await _site.AcmeAsync("devices", "create", Serial, "--model", "A1", "--warranty-start", "2026-01-01", "--warranty-months", "60");

        await _site.AwaitAsync(TwoTenants.AcmeName, Serial, answer => answer.Code == "Success");

        Assert.Contains("IN_SERVICE", await _site.AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);
        Assert.Contains("tenants/acme/devices", await _site.AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);

        // A stranger under the other tenant's name, and under a name that is nobody's.
        Assert.Equal("NotAuthorized", (await _site.HelloAsync(TwoTenants.DefaultName, Serial)).Code);
        Assert.Equal("handshake", (await _site.HelloAsync("localhost", Serial)).Code);
        Assert.Equal("200", await CurlAsync(TwoTenants.AcmeName));
        Assert.Equal("403", await CurlAsync(TwoTenants.DefaultName));
        Assert.Equal("000", await CurlAsync("localhost"));

        // Neither tenant's operators reach the other's, and only the installation's own work on all.
        var (other, _, error) = await _site.Process.MusterAsync("devices", "get", Serial, "--tenant", "acme");
        Assert.Equal(1, other);
        Assert.StartsWith("PERMISSION_DENIED", error, StringComparison.Ordinal);
        Assert.StartsWith(
            "PERMISSION_DENIED", await _site.RefusedAsync("devices", "list", "--tenant", "default"), StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED", await _site.RefusedAsync("admin", "verify"), StringComparison.Ordinal);
        Assert.Equal("", await _site.MusterAsync("anchors", "list"));
        Assert.Contains("/anchors/acme", await _site.AcmeAsync("anchors", "list", "--tenant", "acme"), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        _maker.Dispose();
    }

    /// <summary>What curl gets by a name that it resolves itself; the server's certificate has to be of that name.</summary>
    private async Task<string> CurlAsync(string serverName)
    {
        var start = new ProcessStartInfo("curl",
        [
            "--silent", "--show-error", "--max-time", "30", "--resolve", $"{serverName}:{_site.Process.HttpsPort}:127.0.0.1",
            "--cacert", Path.Combine(_site.Process.Folder, "pki", "server-ca.pem"),
            "--cert", _site.In("device.pem"), "--key", _site.In("device.key"),
            "--output", "/dev/null", "--write-out", "%{http_code}",
            $"https://{serverName}:{_site.Process.HttpsPort}/.well-known/est/cacerts",
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        return await output;
    }
}
