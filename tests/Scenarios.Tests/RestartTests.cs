using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;
using Muster.Protocol;

namespace Muster.Scenarios.Tests;

/// <summary>What is acknowledged survives kill -9, on the real protocols.</summary>
public sealed class RestartTests
{
    private const string Serial = "B8A44F000001";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Device_EnrolledBeforeAKill_IsInServiceAfterTheRestart()
    {
        await using var muster = new OneProcess();
        await muster.StartAsync(Cancel);
        var created = await muster.MusterAsync(
            "devices", "create", Serial, "--model", "P3265-V", "--track", "12.11", "--warranty-start", "2026-01-01",
            "--warranty-months", "60");
        Assert.True(created.Code == 0, created.Error);

        var answer = await SayHelloAsync(muster);
        Assert.Equal(MqttClientPublishReasonCode.Success, answer);
        muster.Kill();
        await muster.StartAsync(Cancel);

        var listed = await muster.MusterAsync("devices", "list");
        Assert.True(listed.Code == 0, listed.Error);
        Assert.Contains(Serial, listed.Output, StringComparison.Ordinal);
        var got = await muster.MusterAsync("devices", "get", Serial);
        Assert.Contains("DEVICE_STATE_IN_SERVICE", got.Output, StringComparison.Ordinal);
        Assert.Contains("12.11.70", got.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_ResumedAfterAKill_IsSentWhatChangedMeanwhile()
    {
        await using var muster = new OneProcess();
        await muster.StartAsync(Cancel);
        await CreateAsync(muster, "B8A44F000001");
        await CreateAsync(muster, "B8A44F000002");
        var marker = await muster.WatchAsync("snapshotComplete");
        await CreateAsync(muster, "B8A44F000003");
        muster.Kill();
        await muster.StartAsync(Cancel);

        var resumed = await muster.WatchAsync("snapshotComplete", "--resume", TokenOf(marker[^1]));
        var verified = await muster.MusterAsync("admin", "verify");

        Assert.Equal(3, marker.Count);
        Assert.Contains(resumed, line => line.Contains("B8A44F000003", StringComparison.Ordinal));
        Assert.True(verified.Code == 0, verified.Output + verified.Error);
        Assert.Contains("\"records\"", verified.Output, StringComparison.Ordinal);
    }

    private static string TokenOf(string line) =>
        System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("resumeToken").GetString()!;

    private static async Task CreateAsync(OneProcess muster, string serial)
    {
        var created = await muster.MusterAsync(
            "devices", "create", serial, "--model", "P3265-V", "--track", "12.11", "--warranty-start", "2026-01-01",
            "--warranty-months", "60");
        Assert.True(created.Code == 0, created.Error);
    }

    [Fact]
    public async Task Device_NotExpected_IsRefusedAndNotListed()
    {
        await using var muster = new OneProcess();
        await muster.StartAsync(Cancel);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
            Assert.Equal(MqttClientPublishReasonCode.Success, await SayHelloAsync(muster)));

        var listed = await muster.MusterAsync("devices", "list");
        Assert.DoesNotContain(Serial, listed.Output, StringComparison.Ordinal);
    }

    private static async Task<MqttClientPublishReasonCode> SayHelloAsync(OneProcess muster)
    {
        var issued = muster.Vendor.Issue(Serial, TimeProvider.System.GetUtcNow());
        using var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var client = new MqttClientFactory().CreateMqttClient();
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", muster.MqttPort)
            .WithClientId(Serial)
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithTlsOptions(tls => tls
                .WithClientCertificates([certificate, X509Certificate2.CreateFromPem(muster.Vendor.IntermediatePem)])
                .WithCertificateValidationHandler(_ => true))
            .Build();
        await client.ConnectAsync(options, Cancel);
        var hello = $$"""
            {"stamp":{"boot_id":"boot-1","sequence":"1"},"serial":"{{Serial}}","model":"P3265-V","os_version":"12.11.70",
             "secure_boot":true,"factory_default":true}
            """;
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Up(Serial, Topics.Hello))
            .WithPayload(Encoding.UTF8.GetBytes(hello))
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .Build();
        return (await client.PublishAsync(message, Cancel)).ReasonCode;
    }
}
