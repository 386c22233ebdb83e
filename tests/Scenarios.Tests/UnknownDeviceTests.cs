using System.Diagnostics;
using System.Text.Json;
using Muster.Cli;

namespace Muster.Scenarios.Tests;

/// <summary>Devices that nobody expects, with Debian's mosquitto clients and curl, against the product in a process of its own.</summary>
public sealed class UnknownDeviceTests : IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly OneProcess _muster = new();
    private int _sequence;

    /// <summary>The profile of an approver: the administrator does everything but approve.</summary>
    private string Bert => Path.Combine(_muster.Folder, "bert");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _muster.Settings["Muster__Enrollment__UnknownDevicesMayApply"] = "true";
        await _muster.StartAsync(CancellationToken.None);
        var (request, grant) = (Path.Combine(Bert, "operator.csr"), Path.Combine(_muster.Folder, "grant.json"));
        await AsBertAsync("operators", "request", "bert");
        await _muster.MusterAsync("operators", "add", "bert", "--role", "approver", "--request", request, "--out", grant);
        Assert.Equal(0, (await AsBertAsync("operators", "accept", grant)).Code);
    }

    [Theory]
    [InlineData("mqttv5", "B8A44F00F501")]
    [InlineData("mqttv311", "B8A44F00F502")]
    public async Task UnknownDevice_ThatAnOperatorApproves_Enrols(string version, string serial)
    {
        await HelloAsync(version, serial);
        var seen = Json(await UntilAsync("WAITING", "enrollments", "list", "--filter", $"state = WAITING AND name = {serial}"))
            .GetProperty("certificateSha256").GetString()!;
        Assert.Equal("202", (await EnrolAsync(serial))[^3..]);
        Assert.Contains("NOT_FOUND", (await _muster.MusterAsync("devices", "get", serial)).Error, StringComparison.Ordinal);

        var other = await ApproveAsync(new string('e', 64));
        Assert.Contains("ENROLLMENT_CERTIFICATE_CHANGED", other.Error, StringComparison.Ordinal);
        var (code, output, error) = await ApproveAsync(seen);
        Assert.True(code == 0, error);
        Assert.Equal("bert", Json(output).GetProperty("decider").GetString());
        Assert.Equal(0, (await ApproveAsync(seen)).Code);
        await HelloAsync(version, serial);

        var device = Json(await UntilAsync("IN_SERVICE", "devices", "get", serial));
        var evidence = device.GetProperty("enrollment");
        Assert.Equal(("lab", "P3265-V", "axis", true, true), (
            device.GetProperty("site").GetString(),
            evidence.GetProperty("model").GetString(),
            evidence.GetProperty("profile").GetString(),
            evidence.GetProperty("secureBoot").GetBoolean(),
            evidence.GetProperty("factoryDefault").GetBoolean()));

        Task<(int Code, string Output, string Error)> ApproveAsync(string certificate) =>
            AsBertAsync("enrollments", "approve", serial, "--certificate", certificate, "--site", "lab");
    }

    [Fact]
    public async Task UnknownDevice_ThatAnOperatorDenies_IsRefusedAtItsConnection()
    {
        const string Serial = "B8A44F00F503";
        await HelloAsync("mqttv5", Serial);
        await UntilAsync("WAITING", "enrollments", "get", Serial);

        var (code, output, error) = await AsBertAsync("enrollments", "deny", Serial, "--reason", "not ours");

        Assert.True(code == 0, error);
        Assert.Equal("not ours", Json(output).GetProperty("reason").GetString());
        Assert.Contains("Not authorized", await HelloAsync("mqttv5", Serial), StringComparison.OrdinalIgnoreCase);
        var answer = await EnrolAsync(Serial);
        Assert.Contains("ENROLLMENT_DENIED", answer, StringComparison.Ordinal);
        Assert.Equal("403", answer[^3..]);
    }

    public ValueTask DisposeAsync() => _muster.DisposeAsync();

    private async Task<(int Code, string Output, string Error)> AsBertAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MusterCommand.RunAsync([.. arguments, "--profile", Bert, "--output", "json"], output, error, Stop);
        return (code, output.ToString(), error.ToString());
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private async Task<string> UntilAsync(string text, params string[] arguments)
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            var (_, output, error) = await _muster.MusterAsync(arguments);
            if (output.Contains(text, StringComparison.Ordinal))
            {
                return output;
            }

            Assert.True(deadline.Elapsed < Timeout, $"{string.Join(' ', arguments)}: no {text} in {output}{error}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), Stop);
        }
    }

    /// <summary>What the client says of it; that it is refused is no fault of the test's.</summary>
    private async Task<string> HelloAsync(string version, string serial) => await RunAsync(serial, $$"""
        mosquitto_pub -V {{version}} -h localhost -p {{_muster.MqttPort}} -q 1 --cafile pki/server-ca.pem --cert {{serial}}.pem \
          --key {{serial}}.key -i {{serial}} -t muster/v1/devices/{{serial}}/up/hello -m '{"stamp":{"bootId":"boot-1",
          "sequence":{{++_sequence}}},"serial":"{{serial}}","model":"P3265-V","osVersion":"12.11.70","secureBoot":true,
          "factoryDefault":true}' 2>&1 || true
        """);

    /// <summary>The answer of simpleenroll, and its status at the end.</summary>
    private Task<string> EnrolAsync(string serial) => RunAsync(serial, $$"""
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {{serial}}.own.key \
          -subj "/serialNumber={{serial}}/CN={{serial}}" -outform DER 2>/dev/null | openssl base64 -out {{serial}}.csr
        curl --silent --show-error --cacert pki/server-ca.pem --cert {{serial}}.pem --key {{serial}}.key \
          -H "Content-Type: application/pkcs10" --data-binary @{{serial}}.csr -w '%{http_code}' \
          https://localhost:{{_muster.HttpsPort}}/.well-known/est/simpleenroll
        """);

    private async Task<string> RunAsync(string serial, string lines)
    {
        var certificate = Path.Combine(_muster.Folder, serial + ".pem");
        if (!File.Exists(certificate))
        {
            var issued = _muster.Vendor.Issue(serial, TimeProvider.System.GetUtcNow());
            await File.WriteAllTextAsync(certificate, issued.CertificatePem, Stop);
            await File.WriteAllTextAsync(Path.Combine(_muster.Folder, serial + ".key"), issued.KeyPem, Stop);
        }

        var start = new ProcessStartInfo("timeout", ["60", "bash", "-ec", lines])
        {
            WorkingDirectory = _muster.Folder,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {output}");
        return output;
    }
}
