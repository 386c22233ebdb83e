using System.Globalization;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Cryptography.Certificates;
using Muster.Protocol;
using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>Lists of deliveries by the command line, and their devices at the door, against the whole product.</summary>
public sealed class DeliveryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Delivery_ImportedFromCsv_EnrolsWithTheCertificatesThatItNames()
    {
        const string Named = "B8A44F00D001";
        const string Wrong = "B8A44F00D002";
        const string Any = "B8A44F00D003";
        await using var muster = new OneProcess();
        await muster.StartAsync(Stop);
        var (named, wrong, any) = (muster.Vendor.Issue(Named, Now), muster.Vendor.Issue(Wrong, Now), muster.Vendor.Issue(Any, Now));
        var list = Write(muster, "order-4711.csv", [
            "serial;model;order;site;warranty_start;warranty_months;certificate_sha256",
            $"{Named};P3265-V;4711;\"Lund; hall 2\";2026-01-01;60;{Fingerprint(named)}",
            $"b8:a4:4f:00:d0:02;P3265-V;4711;Lund;2026-01-01;60;{Fingerprint(named)}",
            $"{Any};P3265-V;4711;Lund;;;",
            "B8A44F00D004;;4711;Lund;2026-13-01;60;",
        ]);

        var first = await muster.MusterAsync("deliveries", "import", "order-4711", list);
        var again = await muster.MusterAsync("deliveries", "import", "order-4711", list);
        var listed = await JsonAsync(muster, "deliveries", "list");

        Assert.Equal((1, 1), (first.Code, again.Code));
        Assert.Equal(
            ["warranty_start", "model"],
            Lines(first.Output).Where(line => line.TryGetProperty("field", out _)).Select(line => line.GetProperty("field").GetString()));
        Assert.Equal((3, 0, 1), CountsOf(Lines(first.Output)[^1]));
        Assert.Equal((0, 3, 1), CountsOf(Lines(again.Output)[^1]));
        Assert.Equal("tenants/default/deliveries/order-4711", listed.Single().GetProperty("name").GetString());

        Assert.Equal(MqttClientPublishReasonCode.Success, (await HelloAsync(muster, Named, named)).ReasonCode);
        Assert.Equal(MqttClientPublishReasonCode.Success, (await HelloAsync(muster, Any, any)).ReasonCode);
        var refused = await HelloAsync(muster, Wrong, wrong);
        Assert.NotEqual(MqttClientPublishReasonCode.Success, refused.ReasonCode);
        Assert.StartsWith("CERTIFICATE_NOT_EXPECTED: ", refused.ReasonString, StringComparison.Ordinal);
        Catalogue.AssertExplains("CERTIFICATE_NOT_EXPECTED");

        var enrolled = (await JsonAsync(muster, "devices", "get", Named)).Single();
        var waiting = (await JsonAsync(muster, "devices", "get", Wrong)).Single();
        Assert.Equal("DEVICE_STATE_IN_SERVICE", enrolled.GetProperty("state").GetString());
        Assert.Equal("4711", enrolled.GetProperty("order").GetString());
        Assert.Equal("Lund; hall 2", enrolled.GetProperty("site").GetString());
        Assert.Equal("tenants/default/deliveries/order-4711", enrolled.GetProperty("delivery").GetString());
        Assert.Equal("2026-01-01", enrolled.GetProperty("warranty").GetProperty("startsOn").GetString());
        Assert.False(enrolled.TryGetProperty("expectedCertificateSha256", out _));
        Assert.Equal("DEVICE_STATE_EXPECTED", waiting.GetProperty("state").GetString());
        Assert.Equal(Fingerprint(named), waiting.GetProperty("expectedCertificateSha256").GetString());
    }

    [Fact]
    public async Task Delivery_WithWrongLines_IsCorrectedByWithdrawingThemAndTheMendedList()
    {
        const string Mended = "B8A44F00D011";
        const string Foreign = "B8A44F00D012";
        await using var muster = new OneProcess();
        await muster.StartAsync(Stop);
        var wrong = Write(muster, "wrong.csv", ["serial,model,warranty_start,warranty_months",
            $"{Mended},P3265,2026-01-01,60", $"{Foreign},P3265-V,2026-01-01,60"]);
        var right = Write(muster, "right.csv", ["serial,model,warranty_start,warranty_months", $"{Mended},P3265-V,2026-01-01,60"]);
        Assert.Equal(0, (await muster.MusterAsync("deliveries", "import", "order-1", wrong)).Code);
        var device = muster.Vendor.Issue(Mended, Now);
        Assert.StartsWith("MODEL_MISMATCH: ", (await HelloAsync(muster, Mended, device)).ReasonString, StringComparison.Ordinal);
        Assert.Equal(1, (await muster.MusterAsync("deliveries", "import", "order-1", right)).Code);

        foreach (var serial in new[] { Mended, Foreign, Foreign })
        {
            var withdrawn = (await JsonAsync(muster, "devices", "withdraw", serial, "--cause", "the list was wrong")).Single();
            Assert.Equal("DEVICE_STATE_WITHDRAWN", withdrawn.GetProperty("state").GetString());
        }

        // The list as it was brings nothing back.
        var again = await muster.MusterAsync("deliveries", "import", "order-1", wrong);
        Assert.Equal((0, 2, 0), CountsOf(Lines(again.Output)[^1]));
        Assert.Equal(2, (await JsonAsync(muster, "devices", "list", "--filter", "state = WITHDRAWN")).Count);
        var mended = await muster.MusterAsync("deliveries", "import", "order-1", right);
        Assert.Equal((1, 0, 0), CountsOf(Lines(mended.Output)[^1]));

        Assert.Equal(MqttClientPublishReasonCode.Success, (await HelloAsync(muster, Mended, device)).ReasonCode);
        var (code, _, error) = await muster.MusterAsync("devices", "withdraw", Mended, "--cause", "too late");
        Assert.Equal(1, code);
        Assert.StartsWith("DEVICE_STATE_INVALID", error, StringComparison.Ordinal);
        await using var line = new DeviceLine();
        using var certificate = DeviceLine.Load(muster.Vendor.Issue(Foreign, Now));
        var refused = await line.ConnectAsync(muster.MqttPort, certificate, Foreign, MqttProtocolVersion.V500);
        Assert.StartsWith("DEVICE_NOT_EXPECTED: ", refused.ReasonString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_BrokenOff_IsRepeatedWhole()
    {
        const int Devices = 10_000;
        await using var muster = new OneProcess();
        await muster.StartAsync(Stop);
        var list = Write(muster, "order-1.jsonl", [
            .. Enumerable.Range(0, Devices).Select(i => string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"serial\": \"ACCC8E{i:X6}\", \"order\": 1, \"warranty_start\": \"2026-01-01\", \"warranty_months\": 36}}"))]);
        string[] import = ["deliveries", "import", "order-1", list, "--default", "model=P3265-V"];

        var broken = muster.MusterAsync(import);
        while (await CountAsync(muster) < 100 && !broken.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), Stop);
        }

        muster.Kill();
        var cut = await broken;
        await muster.StartAsync(Stop);
        var before = await CountAsync(muster);
        var open = (await JsonAsync(muster, "deliveries", "get", "order-1")).Single();
        var repeated = await muster.MusterAsync(import);

        Assert.Equal(3, cut.Code);
        Assert.InRange(before, 100, Devices - 1);
        Assert.Equal("DELIVERY_STATE_IMPORTING", open.GetProperty("state").GetString());
        Assert.True(repeated.Code == 0, repeated.Error);
        var (created, unchanged, refused) = CountsOf(Lines(repeated.Output)[^1]);
        Assert.Equal((Devices, 0), (created + unchanged, refused));
        Assert.Equal(before, unchanged);
        Assert.Equal(Devices, await CountAsync(muster));
        Assert.Equal(0, (await muster.MusterAsync("admin", "verify")).Code);
    }

    [Theory]
    [InlineData("list.csv", "serial,colour\nB8A44F000001,red\n", 1, "DELIVERY_LIST_INVALID: ")]
    [InlineData("list.json", "[{\"serial\": \"B8A44F000001\", \"model\": \"P3265-V\"},", 1, "DELIVERY_LIST_INVALID: ")]
    [InlineData("list.txt", "serial,model\n", 2, "The name of the file says neither csv nor json")]
    public async Task Import_OfAFileThatIsNoList_SaysWhy(string name, string text, int code, string error)
    {
        await using var muster = new OneProcess();
        await muster.StartAsync(Stop);
        var file = Write(muster, name, [text]);

        var refused = await muster.MusterAsync("deliveries", "import", "order-2", file);

        Assert.Equal((code, ""), (refused.Code, refused.Output));
        Assert.StartsWith(error, refused.Error, StringComparison.Ordinal);
    }

    private static async Task<MqttClientPublishResult> HelloAsync(OneProcess muster, string serial, IssuedCertificate issued)
    {
        await using var line = new DeviceLine();
        using var certificate = DeviceLine.Load(issued);
        var connected = await line.ConnectAsync(muster.MqttPort, certificate, serial, MqttProtocolVersion.V500);
        Assert.Equal(MqttClientConnectResultCode.Success, connected.ResultCode);
        return await line.PublishAsync(serial, Topics.Hello, BadInputSite.Hello(serial, 1));
    }

    private static string Fingerprint(IssuedCertificate issued)
    {
        using var certificate = DeviceLine.Load(issued);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(certificate.RawData));
    }

    private static string Write(OneProcess muster, string name, IEnumerable<string> lines)
    {
        var file = Path.Combine(muster.Folder, name);
        File.WriteAllLines(file, lines);
        return file;
    }

    private static async Task<int> CountAsync(OneProcess muster)
    {
        var (code, output, error) = await muster.MusterAsync("devices", "count");
        Assert.True(code == 0, error);
        return Lines(output)[0].TryGetProperty("total", out var total) ? int.Parse(total.GetString()!, CultureInfo.InvariantCulture) : 0;
    }

    private static (int Created, int Unchanged, int Refused) CountsOf(JsonElement delivery)
    {
        return (Read("created"), Read("unchanged"), Read("refused"));

        int Read(string name) => delivery.TryGetProperty(name, out var count) ? count.GetInt32() : 0;
    }

    private static async Task<List<JsonElement>> JsonAsync(OneProcess muster, params string[] arguments)
    {
        var (code, output, error) = await muster.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return Lines(output);
    }

    private static List<JsonElement> Lines(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
}
