using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Protocol;
using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>The command line against the whole product, in the order of an operator's day.</summary>
[Collection(BadInputGroup.Name)]
public sealed class CommandLineTests(BadInputSite site) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-cli-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Devices_CreatedListedGotAndWatched_AreJsonForScripts()
    {
        var created = await JsonAsync(
            "devices", "create", "B8A44F00C001", "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        var listed = await JsonAsync("devices", "list", "--filter", "state=EXPECTED");
        var got = await JsonAsync("devices", "get", "B8A44F00C001");
        var (code, line) = await MusterProgram.WatchAsync(site.Profile, "devices", "watch", "--output", "json");

        Assert.Equal("tenants/default/devices/B8A44F00C001", NameOf(Assert.Single(created)));
        Assert.Contains(listed, device => NameOf(device) == NameOf(created[0]));
        Assert.Equal("DEVICE_STATE_EXPECTED", Assert.Single(got).GetProperty("state").GetString());
        Assert.Equal(0, code);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind);
    }

    [Fact]
    public async Task Images_ImportedAndListed_AreThere()
    {
        var content = Encoding.UTF8.GetBytes("an image of the command line");
        var (image, signature) = (Path.Combine(_folder, "image"), Path.Combine(_folder, "image.cms"));
        await File.WriteAllBytesAsync(image, content, Stop);
        await File.WriteAllBytesAsync(signature, site.Sign(content), Stop);
        string[] import = ["images", "import", image, "--version", "12.11.80", "--track", "active", "--model", "P3265-V", "--signature"];

        var imported = await JsonAsync([.. import, signature]);
        var listed = await JsonAsync("images", "list");
        await File.AppendAllTextAsync(image, "and a byte more", Stop);
        var tampered = await MusterProgram.RunAsync(site.Profile, [.. import, signature]);

        Assert.Contains(listed, one => NameOf(one) == NameOf(Assert.Single(imported)));
        Assert.Equal(1, tampered.Code);
        Assert.Empty(tampered.Output);
        Assert.StartsWith("IMAGE_SIGNATURE_INVALID: ", tampered.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_DraftedPublishedByAnotherAndRevoked_AreOfferedOnlyBetween()
    {
        var content = Encoding.UTF8.GetBytes("an image that is published by a second person");
        var (image, signature, statement) = (
            Path.Combine(_folder, "draft"), Path.Combine(_folder, "draft.cms"), Path.Combine(_folder, "draft.json"));
        await File.WriteAllBytesAsync(image, content, Stop);
        await File.WriteAllBytesAsync(signature, site.Sign(content), Stop);
        await File.WriteAllTextAsync(
            statement,
            """
            {
              "version": "12.11.90", "track": "12.11", "models": ["P3265-V"],
              "supportedUntil": "2031-12-31", "fixedVulnerabilities": ["CVE-2025-9524"]
            }
            """,
            Stop);
        var approver = await ApproverAsync("carla");

        var draft = Assert.Single(
            await JsonAsync("images", "import", image, "--signature", signature, "--statement", statement, "--draft"));
        var digest = NameOf(draft)[^64..];
        string[] create = ["rollouts", "create", "of-a-draft", "--image", digest, "--wave", "100%"];
        var early = await MusterProgram.RunAsync(site.Profile, create);
        var own = await MusterProgram.RunAsync(site.Profile, "images", "publish", digest);
        await DoneAsync(approver, "images", "publish", digest);
        var found = await JsonAsync("images", "list", "--filter", "fixed_vulnerabilities:CVE-2025-9524 AND state=PUBLISHED");
        var created = await MusterProgram.RunAsync(site.Profile, create);
        var revoked = Assert.Single(await JsonAsync("images", "revoke", digest, "--reason", "It bricks cameras."));
        var late = await MusterProgram.RunAsync(site.Profile, "rollouts", "start", "of-a-draft");

        Assert.Equal("IMAGE_STATE_DRAFT", draft.GetProperty("state").GetString());
        Assert.StartsWith("IMAGE_NOT_PUBLISHED: ", early.Error, StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED: ", own.Error, StringComparison.Ordinal);
        Assert.Equal(digest, NameOf(Assert.Single(found))[^64..]);
        Assert.True(created.Code == 0, created.Error);
        Assert.Equal("IMAGE_STATE_REVOKED", revoked.GetProperty("state").GetString());
        Assert.StartsWith("IMAGE_REVOKED: ", late.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Catalogue_SignedByThePublisher_IsTakenOnceAndNeverAnOlderOne()
    {
        var (file, signature) = (Path.Combine(_folder, "catalogue.json"), Path.Combine(_folder, "catalogue.cms"));
        string[] import = ["images", "catalogue", "import", file, "--signature", signature];
        async Task WriteAsync(int version)
        {
            var now = TimeProvider.System.GetUtcNow();
            var document = Encoding.UTF8.GetBytes($$"""
                {
                  "type": "muster.catalogue/v1", "version": {{version}}, "issuedAt": "{{now:O}}", "expiresAt": "{{now.AddDays(30):O}}",
                  "releases": []
                }
                """);
            await File.WriteAllBytesAsync(file, document, Stop);
            await File.WriteAllBytesAsync(signature, site.Sign(document), Stop);
        }

        await WriteAsync(2);
        var taken = Assert.Single(await JsonAsync(import));
        var again = Assert.Single(await JsonAsync(import));
        await File.AppendAllTextAsync(file, " ", Stop);
        var tampered = await MusterProgram.RunAsync(site.Profile, import);
        await WriteAsync(1);
        var older = await MusterProgram.RunAsync(site.Profile, import);

        Assert.Equal("2", taken.GetProperty("version").GetString());
        Assert.Equal(taken.GetProperty("documentSha256").GetString(), again.GetProperty("documentSha256").GetString());
        Assert.StartsWith("CATALOGUE_SIGNATURE_INVALID: ", tampered.Error, StringComparison.Ordinal);
        Assert.StartsWith("CATALOGUE_ROLLED_BACK: ", older.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollouts_CreatedStartedWatchedAndPaused_SayWhereTheyAre()
    {
        var created = await JsonAsync("rollouts", "create", "by-hand", "--image", site.ImageDigest, "--wave", "1", "--wave", "100%:90:30s");
        var started = await MusterProgram.RunAsync(site.Profile, "rollouts", "start", "by-hand", "--output", "json");
        var (watched, line) = await MusterProgram.WatchAsync(site.Profile, "rollouts", "watch", "spring", "--output", "json");
        var paused = await JsonAsync("rollouts", "pause", "spring", "--reason", "lunch");
        var resumed = await JsonAsync("rollouts", "resume", "spring");
        var missing = await MusterProgram.RunAsync(site.Profile, "rollouts", "start", "autumn");

        Assert.Equal("ROLLOUT_STATE_DRAFT", Assert.Single(created).GetProperty("state").GetString());
        Assert.True(started.Code == 0, started.Error);
        Assert.Equal(0, watched);
        Assert.Equal("tenants/default/rollouts/spring", NameOf(JsonDocument.Parse(line).RootElement));
        Assert.Equal("ROLLOUT_STATE_PAUSED", Assert.Single(paused).GetProperty("state").GetString());
        Assert.Equal("ROLLOUT_STATE_RUNNING", Assert.Single(resumed).GetProperty("state").GetString());
        Assert.Equal((1, ""), (missing.Code, missing.Output));
        Assert.StartsWith("NOT_FOUND: ", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollouts_ThatNeedApprovals_AreEditedApprovedStartedAndExplained()
    {
        string[] spec = ["--image", site.ImageDigest, "--wave", "1:approve", "--approvals", "1"];
        var approver = await ApproverAsync("dora");

        var created = Assert.Single(await JsonAsync(["rollouts", "create", "approved", .. spec]));
        var seen = created.GetProperty("etag").GetString()!;
        var early = await MusterProgram.RunAsync(site.Profile, "rollouts", "start", "approved");
        var edited = await JsonAsync(["rollouts", "edit", "approved", .. spec, "--devices-per-minute", "5", "--etag", seen]);
        var stale = await MusterProgram.RunAsync(approver, "rollouts", "approve", "approved", "--etag", seen);
        var own = await MusterProgram.RunAsync(site.Profile, "rollouts", "approve", "approved");
        await DoneAsync(approver, "rollouts", "approve", "approved");
        var approved = await JsonAsync("rollouts", "get", "approved");
        await DoneAsync(site.Profile, "rollouts", "start", "approved");
        var explained = Assert.Single(await JsonAsync("rollouts", "explain", "approved", "--wave", "0"));
        var nothing = await MusterProgram.RunAsync(approver, "rollouts", "approve-wave", "approved", "--wave", "5");
        await DoneAsync(site.Profile, "rollouts", "cancel", "approved");

        Assert.Equal("ROLLOUT_STATE_AWAITING_APPROVAL", created.GetProperty("state").GetString());
        Assert.StartsWith("ROLLOUT_NOT_APPROVED: ", early.Error, StringComparison.Ordinal);
        Assert.NotEqual(seen, Assert.Single(edited).GetProperty("etag").GetString());
        Assert.StartsWith("ROLLOUT_SPEC_CHANGED: ", stale.Error, StringComparison.Ordinal);
        Assert.StartsWith("PERMISSION_DENIED: ", own.Error, StringComparison.Ordinal);
        Assert.Equal("ROLLOUT_STATE_DRAFT", Assert.Single(approved).GetProperty("state").GetString());
        Assert.Equal("STARTED", explained.GetProperty("why")[0].GetProperty("decision").GetString());
        Assert.StartsWith("ROLLOUT_WAVE_NOT_AWAITING_APPROVAL: ", nothing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollouts_Explain_SaysOfADeviceWhereItIsOrWhyItIsNoMember()
    {
        const string Serial = "B8A44F00C0A1";
        await EnrolAsync(Serial);
        string[] create =
        [
            "rollouts", "create", "explained", "--image", site.ImageDigest, "--filter", $"name = {Serial}", "--wave", "100%:100:0s:all",
            "--max-attempts", "3", "--window", "0 4 29 2 * for 1h in Europe/Stockholm",
        ];
        Assert.Single(await JsonAsync(create));
        string[] explain = ["rollouts", "explain", "explained", "--device"];

        var draft = Assert.Single(await JsonAsync([.. explain, Serial]));
        Assert.Single(await JsonAsync("rollouts", "start", "explained"));
        var member = Assert.Single(await JsonAsync([.. explain, Serial]));
        var unknown = Assert.Single(await JsonAsync([.. explain, "B8A44FFFFFFF"]));
        var refused = await MusterProgram.RunAsync(site.Profile, [
            "rollouts", "create", "never", .. create[3..^1], "0 4 30 2 * for 1h in Europe/Stockholm",
        ]);
        Assert.Single(await JsonAsync("rollouts", "cancel", "explained"));

        Assert.Equal("NOT_STARTED", draft.GetProperty("notMember").GetString());
        Assert.Equal(("MEMBER_STATE_WAITING", 1, 3), (
            member.GetProperty("state").GetString(),
            member.GetProperty("attempt").GetInt32(),
            member.GetProperty("maxAttempts").GetInt32()));
        Assert.NotEmpty(member.GetProperty("waitsFor").EnumerateArray());
        Assert.Equal("UNKNOWN_DEVICE", unknown.GetProperty("notMember").GetString());
        Assert.StartsWith("ROLLOUT_SPEC_INVALID: ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warranty_ThatIsOver_IsListedForReviewAndClosed()
    {
        const string Serial = "B8A44F00C009";
        await JsonAsync("devices", "create", Serial, "--model", "P3265-V", "--warranty-start", "2020-01-01", "--warranty-months", "12");
        string[] open = ["warranty", "list", "--filter", $"review=OPEN AND name={Serial}"];

        var reviewed = await JsonAsync(open);
        for (var waited = 0; reviewed.Count == 0 && waited < 100; waited++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), Stop);
            reviewed = await JsonAsync(open);
        }

        var closed = await JsonAsync("warranty", "close-review", Serial, "--keep");
        var extended = await JsonAsync("warranty", "set", Serial, "--starts", "2020-01-01", "--months", "240");
        var neither = await MusterProgram.RunAsync(site.Profile, "warranty", "close-review", Serial);

        Assert.Equal("2020-12-31", Assert.Single(reviewed).GetProperty("endsOn").GetString());
        Assert.Equal("WARRANTY_REVIEW_STATE_KEPT", Assert.Single(closed).GetProperty("review").GetString());
        Assert.Equal("2039-12-31", Assert.Single(extended).GetProperty("endsOn").GetString());
        Assert.Empty(await JsonAsync(open));
        Assert.Equal(2, neither.Code);
    }

    [Fact]
    public async Task Decommission_RequestedByOne_IsApprovedByAnotherWithHisOwnKey()
    {
        const string Serial = "B8A44F00C002";
        await EnrolAsync(Serial);
        var bert = await ApproverAsync("bert");

        var me = await MusterProgram.RunAsync(bert, "whoami");
        var own = await MusterProgram.RunAsync(bert, "decommissions", "request", Serial);
        await DoneAsync(site.Profile, "decommissions", "request", Serial);
        var alone = await MusterProgram.RunAsync(site.Profile, "decommissions", "approve", Serial);
        await DoneAsync(bert, "decommissions", "approve", Serial);
        var listed = await JsonAsync("decommissions", "list");

        Assert.Contains("approver", me.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal((1, ""), (own.Code, own.Output));
        Assert.StartsWith("PERMISSION_DENIED: ", own.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (alone.Code, alone.Output));
        var decommission = Assert.Single(listed, one => NameOf(one).EndsWith(Serial, StringComparison.Ordinal));
        Assert.NotEqual("DECOMMISSION_STATE_REQUESTED", decommission.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Command_WithoutAProfileOrAServer_SaysWhatIsMissing()
    {
        var none = await MusterProgram.RunAsync(Path.Combine(_folder, "none"), "devices", "list");
        var elsewhere = Directory.CreateDirectory(Path.Combine(_folder, "elsewhere")).FullName;
        foreach (var file in new[] { "operator.pem", "operator.key", "server-ca.pem" })
        {
            File.Copy(Path.Combine(site.Profile, file), Path.Combine(elsewhere, file));
        }

        // Port 1 is nobody's.
        await File.WriteAllTextAsync(
            Path.Combine(elsewhere, "profile.json"),
            """{"server":"https://localhost:1","operator":"administrator","tenant":"default"}""",
            Stop);
        var silent = await MusterProgram.RunAsync(elsewhere, "devices", "list");
        var wrong = await MusterProgram.RunAsync(site.Profile, "devices", "explode");

        Assert.Equal((2, ""), (none.Code, none.Output));
        Assert.Contains("There is no profile in", none.Error, StringComparison.Ordinal);
        Assert.Equal((3, ""), (silent.Code, silent.Output));
        Assert.Contains("The server does not answer", silent.Error, StringComparison.Ordinal);
        Assert.Equal(2, wrong.Code);
        Assert.Contains("explode", wrong.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task EnrolAsync(string serial)
    {
        await site.ExpectAsync(serial);
        using var certificate = DeviceLine.Load(site.Vendor.Issue(serial, TimeProvider.System.GetUtcNow()));
        await using var line = new DeviceLine();
        await line.ConnectAsync(site.MqttPort, certificate, serial, MqttProtocolVersion.V500);
        var hello = await line.PublishAsync(serial, Topics.Hello, BadInputSite.Hello(serial, 1));
        Assert.Equal(MqttClientPublishReasonCode.Success, hello.ReasonCode);
    }

    /// <summary>An operator with the role approver and a key of his own; his profile.</summary>
    private async Task<string> ApproverAsync(string name)
    {
        var profile = Path.Combine(_folder, name);
        var (request, grant) = (Path.Combine(profile, "operator.csr"), Path.Combine(_folder, name + ".json"));
        await DoneAsync(profile, "operators", "request", name);
        await DoneAsync(site.Profile, "operators", "add", name, "--role", "approver", "--request", request, "--out", grant);
        await DoneAsync(profile, "operators", "accept", grant);
        return profile;
    }

    private static string NameOf(JsonElement resource) => resource.GetProperty("name").GetString()!;

    private static async Task DoneAsync(string profile, params string[] arguments)
    {
        var result = await MusterProgram.RunAsync(profile, arguments);
        Assert.True(result.Code == 0, $"{string.Join(' ', arguments)}: {result.Error}");
    }

    /// <summary>One object per line, and nothing else.</summary>
    private async Task<List<JsonElement>> JsonAsync(params string[] arguments)
    {
        var result = await MusterProgram.RunAsync(site.Profile, [.. arguments, "--output", "json"]);
        Assert.True(result.Code == 0, $"{string.Join(' ', arguments)}: {result.Error}");
        Assert.Empty(result.Error);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
