using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>Continuous trust through the whole product: devices over MQTT, operators over the command line.</summary>
public sealed class TrustTests : IAsyncDisposable
{
    private const string Serial = BadInputSite.Serial;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly OneProcess _muster = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _muster.DisposeAsync();

    [Fact]
    public async Task Device_ThatLosesSecureBoot_IsQuarantinedRestrictedAndComesBackByRuleOrOperatorAlone()
    {
        await _muster.StartAsync(Stop);
        using var certificate = await ExpectAsync(Serial);
        await using var line = await ConnectAsync(certificate, Serial);
        await line.PublishAsync(Serial, "hello", Hello(Serial, "boot-1", 1));
        await UntilAsync("IN_SERVICE");

        await line.PublishAsync(Serial, "hello", Hello(Serial, "boot-2", 1, secureBoot: false));
        var lost = await UntilAsync("QUARANTINED");
        var report = $$"""{"stamp":{"bootId":"boot-2","sequence":1},"generation":1,"step":"STEP_DOWNLOADING"}""";
        await line.PublishAsync(Serial, "report", report);
        var rejection = await line.NextAsync("rejection");
        await line.PublishAsync(Serial, "hello", Hello(Serial, "boot-3", 1));
        var healed = await UntilAsync("\"bootId\":\"boot-3\"");
        await MusterAsync("trust", "rules", "set", "--auto-release", "true");
        var released = await SayUntilAsync(line, "IN_SERVICE");

        Assert.Contains("SECURE_BOOT_LOST", lost, StringComparison.Ordinal);
        Assert.Contains("rule/trust.SecureBootLost", lost, StringComparison.Ordinal);
        Assert.Contains("DEVICE_QUARANTINED", rejection, StringComparison.Ordinal);
        Assert.Contains("QUARANTINED", healed, StringComparison.Ordinal);
        Assert.DoesNotContain("SECURE_BOOT_LOST", healed, StringComparison.Ordinal);
        Assert.Contains("\"bootId\":\"boot-4\"", released, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_WithOneCertificateThatAlternateBoots_AreSuspectedAndReconnectsAreNot()
    {
        await _muster.StartAsync(Stop);
        using var certificate = await ExpectAsync(Serial);
        for (var i = 0; i < 20; i++)
        {
            await using var again = await ConnectAsync(certificate, Serial);
            await again.PublishAsync(Serial, "hello", Hello(Serial, "boot-1", 1));
        }

        Assert.DoesNotContain("suspicion", await GetAsync(), StringComparison.Ordinal);
        foreach (var boot in (string[])["boot-2", "boot-1", "boot-2", "boot-1"])
        {
            await using var one = await ConnectAsync(certificate, Serial);
            await one.PublishAsync(Serial, "hello", Hello(Serial, boot, 1));
        }

        var suspected = await UntilAsync("ALTERNATING_BOOTS");
        var listed = await UntilListedAsync("suspicion = QUARANTINED");
        await MusterAsync("trust", "suspects", "dismiss", "--filter", $"name = {Serial}", "--cause", "two units on one desk");
        var dismissed = await GetAsync();

        Assert.Contains("rule/trust.AlternatingBoots", suspected, StringComparison.Ordinal);
        Assert.Contains(Serial, listed, StringComparison.Ordinal);
        Assert.DoesNotContain("ALTERNATING_BOOTS", dismissed, StringComparison.Ordinal);
        Assert.Contains("IN_SERVICE", dismissed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_ThatPingsBesideANewerOneOfAnotherBoot_IsSuspected()
    {
        await _muster.StartAsync(Stop);
        using var certificate = await ExpectAsync(Serial);
        await using var first = await ConnectAsync(certificate, Serial);
        await first.PublishAsync(Serial, "hello", Hello(Serial, "boot-1", 1));
        await using var older = await ConnectAsync(certificate, $"{Serial}/telemetry");
        await older.PublishAsync(Serial, "status", """{"stamp":{"bootId":"boot-1","sequence":1},"uptimeSeconds":"5"}""");
        await older.PingAsync();
        Assert.DoesNotContain("suspicion", await GetAsync(), StringComparison.Ordinal);

        await using var newer = await ConnectAsync(certificate, Serial);
        await newer.PublishAsync(Serial, "hello", Hello(Serial, "boot-2", 1));
        Assert.DoesNotContain("suspicion", await GetAsync(), StringComparison.Ordinal);
        await older.PingAsync();

        await UntilAsync("OLDER_CONNECTION_ALIVE");
    }

    [Fact]
    public async Task Rules_ByCommandLine_AreShownChangedAndChecked()
    {
        await _muster.StartAsync(Stop);

        var before = await MusterAsync("trust", "rules", "get");
        var set = await MusterAsync("trust", "rules", "set", "--image-unknown", "quarantine");
        var unnamed = await MusterAsync("trust", "rules", "set", "--image-unnamed", "report");
        var wrong = await _muster.MusterAsync("trust", "rules", "set", "--image-unknown", "explode");

        Assert.Contains("REPORT", before, StringComparison.Ordinal);
        Assert.DoesNotContain("REPORT", set, StringComparison.Ordinal);
        Assert.Contains("REPORT", unnamed, StringComparison.Ordinal);
        Assert.Equal(2, wrong.Code);
    }

    private static string Hello(string serial, string boot, int sequence, bool secureBoot = true) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        {"stamp":{"bootId":"{{boot}}","sequence":{{sequence}}},"serial":"{{serial}}","model":"P3265-V","osVersion":"12.0.1",
        "secureBoot":{{(secureBoot ? "true" : "false")}},"factoryDefault":true}
        """);

    private async Task<X509Certificate2> ExpectAsync(string serial)
    {
        await MusterAsync(
            "devices", "create", serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        return DeviceLine.Load(_muster.Vendor.Issue(serial, TimeProvider.System.GetUtcNow()));
    }

    private async Task<DeviceLine> ConnectAsync(X509Certificate2 certificate, string clientId)
    {
        var line = new DeviceLine();
        var result = await line.ConnectAsync(_muster.MqttPort, certificate, clientId, MqttProtocolVersion.V500);
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        return line;
    }

    private async Task<string> MusterAsync(params string[] arguments)
    {
        var (code, output, error) = await _muster.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return output.Replace(" ", "", StringComparison.Ordinal);
    }

    private Task<string> GetAsync() => MusterAsync("devices", "get", Serial);

    /// <summary>A rule holds for hellos a second after it was set.</summary>
    private async Task<string> SayUntilAsync(DeviceLine line, string text)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Timeout);
        for (var sequence = 1; ; sequence++)
        {
            await line.PublishAsync(Serial, "hello", Hello(Serial, "boot-4", sequence));
            var device = await GetAsync();
            if (device.Contains(text, StringComparison.Ordinal))
            {
                return device;
            }

            Assert.False(limit.IsCancellationRequested, $"No {text}: {device}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    private async Task<string> UntilAsync(string text)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Timeout);
        for (; ;)
        {
            var device = await GetAsync();
            if (device.Contains(text, StringComparison.Ordinal))
            {
                return device;
            }

            Assert.False(limit.IsCancellationRequested, $"No {text}: {device}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    private async Task<string> UntilListedAsync(string filter)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Timeout);
        for (; ;)
        {
            var listed = await MusterAsync("trust", "suspects", "list", "--filter", filter);
            if (listed.Contains(Serial, StringComparison.Ordinal))
            {
                return listed;
            }

            Assert.False(limit.IsCancellationRequested, $"Not listed with {filter}: {listed}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }
}
