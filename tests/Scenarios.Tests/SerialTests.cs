using System.Text.Json;

namespace Muster.Scenarios.Tests;

/// <summary>One serial and two tenants that believe the same maker, by their server names and over real TLS.</summary>
public sealed class SerialTests : IAsyncLifetime
{
    private const string Serial = "B8A44F0EA001";
    private const string Expected = "B8A44F0EA002";
    private const string Free = "B8A44F0EA003";

    private TwoTenants _site = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _site = await TwoTenants.StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        await _site.WriteAsync("device", _site.Process.Vendor.Issue(Serial, now));

        // The same unit with another certificate and another key of its maker.
        await _site.WriteAsync("renewed", _site.Process.Vendor.Issue(Serial, now));
        await File.WriteAllTextAsync(_site.In("vendor.pem"), _site.Process.Vendor.TrustPem, Stop);
        await _site.AcmeAsync("anchors", "add", "vendor", _site.In("vendor.pem"), "--device-profile", "axis");
    }

    [Fact]
    public async Task Serial_ExpectedByTwoTenants_WaitsForTheInstallationsAdministrator()
    {
        await _site.AcmeAsync(Creation(Serial));
        await _site.AcmeAsync(Creation(Expected));
        Assert.DoesNotContain("serialWaits", await _site.AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);
        Assert.Contains("SERIAL_DISPUTED", await _site.MusterAsync(Creation(Serial)), StringComparison.Ordinal);

        await _site.AwaitAsync(TwoTenants.AcmeName, Serial, Waits);
        await _site.AwaitAsync(TwoTenants.DefaultName, Serial, Waits);
        var told = await _site.AcmeAsync("devices", "get", Serial);
        Assert.Contains("SERIAL_DISPUTED", told, StringComparison.Ordinal);
        Assert.DoesNotContain("default", told, StringComparison.Ordinal);

        // Whose it is, is decided by who owns the installation, and by nobody else.
        Assert.StartsWith("PERMISSION_DENIED", await _site.RefusedAsync("serials", "list"), StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED", await _site.RefusedAsync(Assignment("acme")), StringComparison.Ordinal);
        Assert.Equal(["acme", "default"], TenantsOf(await _site.MusterAsync("serials", "list", "--filter", "state = WAITING")));
        await _site.KillAndStartAsync();
        Assert.Equal(["acme", "default"], TenantsOf(await _site.MusterAsync("serials", "list", "--filter", "state = WAITING")));
        Assert.Contains("SERIAL_STATE_ASSIGNED", await _site.MusterAsync(Assignment("acme")), StringComparison.Ordinal);

        await _site.AwaitAsync(TwoTenants.AcmeName, Serial, answer => answer.Code == "Success");
        Assert.Contains("IN_SERVICE", await _site.AcmeAsync("devices", "get", Serial), StringComparison.Ordinal);
        Assert.Contains("\"holder\": \"acme\"", await _site.MusterAsync("serials", "get", Serial), StringComparison.Ordinal);
        await _site.KillAndStartAsync();
        await _site.AwaitAsync(TwoTenants.DefaultName, Serial, IsAnothers);
        await RequireAsync(TwoTenants.DefaultName, "renewed", "SERIAL_OF_ANOTHER_TENANT");
        await RequireAsync(TwoTenants.AcmeName, "renewed", "IDENTITY_MISMATCH");

        await RequireListAsync();
        await _site.MusterAsync("admin", "verify");
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    /// <summary>Lists say of each line what another tenant has to do with it.</summary>
    private async Task RequireListAsync()
    {
        var list = _site.In("order.csv");
        await File.WriteAllLinesAsync(list, ["serial,model", $"{Expected},A1", $"{Free},A1", "B8A44F0EA004,A1"], Stop);

        var (code, output, _) = await _site.Process.MusterAsync("deliveries", "import", "order", list);

        Assert.Equal(0, code);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var note = Assert.Single(lines, line => line.TryGetProperty("reason", out _));
        Assert.Equal((Expected, "SERIAL_DISPUTED"), (note.GetProperty("serial").GetString(), note.GetProperty("reason").GetString()));
        Assert.Equal(3, lines[^1].GetProperty("created").GetInt32());
    }

    private static string[] Creation(string serial) =>
        ["devices", "create", serial, "--model", "A1", "--warranty-start", "2026-01-01", "--warranty-months", "60"];

    private static string[] Assignment(string tenant) => ["serials", "assign", Serial, "--to", tenant, "--cause", "their order 4711"];

    private static IEnumerable<string?> TenantsOf(string listed) =>
        JsonDocument.Parse(listed).RootElement.GetProperty("expectingTenants").EnumerateArray().Select(tenant => tenant.GetString());

    private static bool Waits((string Code, string Reason) answer) =>
        answer.Code == "NotAuthorized" && answer.Reason.StartsWith("SERIAL_DISPUTED: ", StringComparison.Ordinal);

    private static bool IsAnothers((string Code, string Reason) answer) =>
        answer.Code == "NotAuthorized" && answer.Reason.Contains("ANOTHER", StringComparison.Ordinal);

    private async Task RequireAsync(string serverName, string device, string reason)
    {
        var (code, told) = await _site.HelloAsync(serverName, Serial, device);
        Assert.Equal("NotAuthorized", code);
        Assert.StartsWith($"{reason}: ", told, StringComparison.Ordinal);
    }
}
