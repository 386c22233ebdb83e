using System.CommandLine;
using Muster.Cli.Session;

namespace Muster.Cli.Tests;

public sealed class CommandLineTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("devices list --filter state=IN_SERVICE -o json --limit 5")]
    [InlineData("devices get B8A44F000001")]
    [InlineData("devices watch")]
    [InlineData("devices create B8A44F000001 --model P3265-V --warranty-start 2026-01-01 --warranty-months 36")]
    [InlineData("devices approve B8A44F000001")]
    [InlineData("devices withdraw B8A44F000001 --cause wrong")]
    [InlineData("serials list --filter state=WAITING")]
    [InlineData("serials assign B8A44F000001 --to acme --cause theirs")]
    [InlineData("devices quarantine B8A44F000001 --cause stolen")]
    [InlineData("devices release B8A44F000001 --cause found")]
    [InlineData("images import image.bin --signature image.p7s --version 12.1.0 --track active --model P3265-V --model Q1656")]
    [InlineData("images import image.bin --signature image.p7s --statement image.json --fixes CVE-2025-9524 --step 11.11 --min-from 8.40")]
    [InlineData("images import image.bin --signature image.p7s --statement image.json --draft")]
    [InlineData("images edit d --statement image.json")]
    [InlineData("images publish d")]
    [InlineData("images revoke d --reason bricks")]
    [InlineData("images catalogue import catalogue.json --signature catalogue.p7s")]
    [InlineData("images catalogue get")]
    [InlineData("images catalogue require --off")]
    [InlineData("images list")]
    [InlineData("rollouts create spring --image 00 --wave 5 --wave 100%:90:30s --failure-percent 10")]
    [InlineData("rollouts create spring --image 00 --wave 50:95:1h:all:40 --max-unavailable 5% --rate-growth 2:1000:offered")]
    [InlineData("rollouts create spring --image 00 --wave 5 --max-attempts 3 --retry-backoff 1m --retry-backoff-max 1h")]
    [InlineData("rollouts create spring --image 00 --wave 5 --in-progress-policy skip --undelivered-policy wait")]
    [InlineData("rollouts create spring --image 00 --wave 5 --window \"0 22 * * MON-FRI for 6h in Europe/Stockholm\"")]
    [InlineData("rollouts create spring --image 00 --wave 5 --install-window \"0 22 * * * for 4h in Europe/Stockholm\"")]
    [InlineData("rollouts create spring --set root.Network.SSH.Enabled=no --set root.Note= --wave 5")]
    [InlineData("rollouts edit spring --set root.Network.SSH.Enabled=a=b --wave 5")]
    [InlineData("rollouts explain spring --device B8A44F000001")]
    [InlineData("rollouts start spring")]
    [InlineData("rollouts watch spring")]
    [InlineData("rollouts pause spring --reason lunch")]
    [InlineData("rollouts resume spring --override --reason seen")]
    [InlineData("rollouts create spring --image 00 --wave 5:approve --wave 10%:95:1h:all:3:approve")]
    [InlineData("rollouts create spring --image 00 --wave 5 --failure-count 3 --failure-action abort")]
    [InlineData("rollouts create spring --image 00 --wave 5 --include-late-joiners")]
    [InlineData("rollouts create spring --image 00 --wave 5 --failure-percent 5 --failure-action roll-back")]
    [InlineData("rollouts roll-back spring --reason loops")]
    [InlineData("rollouts retry-rest spring --new-id spring-rest")]
    [InlineData("rollouts retry-rest spring --new-id spring-rest --validate-only --wave 5 --failure-action abort --seed 7")]
    [InlineData("rollouts retry-rest spring --new-id spring-rest --filter site=Lund --wave-filter 0:labels.ring=early --stratify 0:model")]
    [InlineData("rollouts create spring --image 00 --wave 5 --seed -3")]
    [InlineData("rollouts create spring --image 00 --wave 5 --approvals 2 --override-needs-approver")]
    [InlineData("rollouts create spring --image 00 --wave 5 --priority 7 --supersedes-older")]
    [InlineData("rollouts create spring --image 00 --wave 5 --take-steps --allow-track-change")]
    [InlineData("rollouts create spring --image 00 --strategy canary-site-fleet --take-steps")]
    [InlineData("rollouts edit spring --image 00 --wave 5 --approvals 2 --etag 00")]
    [InlineData("rollouts create spring --image 00 --strategy canary-site-fleet --filter site=a --allow-track-change")]
    [InlineData("rollouts edit spring --set a=b --strategy canary-site-fleet@3 --etag 00")]
    [InlineData("strategies list")]
    [InlineData("strategies get canary-site-fleet@3")]
    [InlineData("strategies versions canary-site-fleet")]
    [InlineData("strategies create canary-site-fleet -f canary-site-fleet.yaml")]
    [InlineData("strategies edit canary-site-fleet -f canary-site-fleet.yaml --etag 7")]
    [InlineData("strategies delete canary-site-fleet")]
    [InlineData("strategies rules get")]
    [InlineData("strategies rules edit -f rules.yaml --etag 7")]
    [InlineData("rollouts approve spring")]
    [InlineData("rollouts approve spring --etag 00")]
    [InlineData("rollouts explain spring --wave 1")]
    [InlineData("rollouts approve-wave spring --wave 0")]
    [InlineData("rollouts approve-wave spring --wave 0 --etag 3-8de-0")]
    [InlineData("policies apply hardening hardening.json")]
    [InlineData("products create P3265-V --os-support-ends 2026-12-31")]
    [InlineData("decommissions list")]
    [InlineData("decommissions approve B8A44F000001")]
    [InlineData("warranty close-review B8A44F000001 --keep")]
    [InlineData("operators add bob --role approver --request bob.csr --out bob.json")]
    [InlineData("operators accept bob.json --profile here")]
    [InlineData("whoami")]
    public void Parse_OfAValidLine_HasNoErrors(string line) => Assert.Empty(MusterCommand.Create().Parse(line).Errors);

    [Theory]
    [InlineData("")]
    [InlineData("devices")]
    [InlineData("devices lst")]
    [InlineData("devices get")]
    [InlineData("devices list --output yaml")]
    [InlineData("operators add bob --role king --request bob.csr")]
    [InlineData("rollouts retry-rest spring")]
    [InlineData("rollouts explain spring")]
    [InlineData("rollouts create spring --wave 5")]
    [InlineData("rollouts create spring --image 00 --set a=b --wave 5")]
    [InlineData("rollouts create spring --set a --wave 5")]
    [InlineData("rollouts create spring --set =b --wave 5")]
    [InlineData("rollouts create spring --image 00 --wave 5 --failure-action explode")]
    [InlineData("rollouts create spring --image 00")]
    [InlineData("rollouts create spring --image 00 --strategy canary --wave 5")]
    [InlineData("rollouts create spring --image 00 --strategy canary --in-progress-timeout 2h")]
    [InlineData("rollouts edit spring --image 00 --strategy canary --approvals 0")]
    [InlineData("strategies create canary")]
    public async Task RunAsync_OfAWrongLine_IsUsage(string line)
    {
        var (code, _, error) = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(ExitCodes.Usage, code);
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Create_OfAllCommands_DescribesEverything()
    {
        static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

        Assert.All(All(MusterCommand.Create()), command =>
        {
            Assert.NotEmpty(command.Description!);
            Assert.All(command.Options, option => Assert.NotEmpty(option.Description!));
            Assert.All(command.Arguments, argument => Assert.NotEmpty(argument.Description!));
        });
    }

    [Fact]
    public async Task RunAsync_WithoutAProfile_SaysHowToGetOne()
    {
        using var folder = new TestFolder();

        var (code, _, error) = await RunAsync("whoami", "--profile", folder.In("nothing"));

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("operators request", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WhenNobodyListens_IsUnreachable()
    {
        using var folder = new TestFolder();
        await TestProfiles.MakeAsync(folder, "https://127.0.0.1:1");

        var (code, _, error) = await RunAsync("whoami", "--profile", folder.Path);

        Assert.Equal(ExitCodes.Unreachable, code);
        Assert.Contains("does not answer", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("nonsense")]
    public async Task RunAsync_WithAnUnsafeServer_IsUsage(string server)
    {
        using var folder = new TestFolder();
        await TestProfiles.MakeAsync(folder, server);

        var (code, _, _) = await RunAsync("whoami", "--profile", folder.Path);

        Assert.Equal(ExitCodes.Usage, code);
    }

    [Fact]
    public void Parse_OfANegativeLimit_SaysWhatALimitIs() =>
        Assert.Contains(
            "0 for all",
            Assert.Single(MusterCommand.Create().Parse("devices list --limit -1").Errors).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("100%:100:99999999d")]
    [InlineData("100%:100:999999999h")]
    [InlineData("100%:100:36501d")]
    public async Task RunAsync_OfAWaveThatSoaksForEver_IsUsage(string wave)
    {
        using var folder = new TestFolder();
        await TestProfiles.MakeAsync(folder, "https://127.0.0.1:1");

        var (code, _, error) = await RunAsync("rollouts", "create", "spring", "--image", "00", "--wave", wave, "--profile", folder.Path);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("at most 36500d", error, StringComparison.Ordinal);
    }

    internal static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await MusterCommand.RunAsync(arguments, output, error, Stop);
        return (code, output.ToString(), error.ToString());
    }
}
