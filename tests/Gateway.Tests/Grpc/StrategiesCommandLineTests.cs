using Muster.Cli.Session;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>Strategies by the command line, with the files of docs/operations/strategies.md as they stand there.</summary>
public sealed class StrategiesCommandLineTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StrategiesCreateEditAndRules_OfTheGuidesFiles_AreTaken()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var strategies = new FakeStrategies(edge);
        var profile = await CommandLineTests.MakeProfileAsync(edge, "anna", OperatorRole.Administrator);
        var course = await FileAsync(edge, "description:");
        var rules = await FileAsync(edge, "rules:");
        Task<(int Code, string Output, string Error)> RunAsync(string line) =>
            CommandLineTests.RunAsync([.. line.Split(' '), "--profile", profile]);

        var created = await RunAsync($"strategies create canary-site-fleet -f {course}");
        Assert.True(created.Code == ExitCodes.Done, created.Error);
        var repeated = await RunAsync($"strategies edit canary-site-fleet -f {course}");
        var more = (await File.ReadAllTextAsync(course, Stop)).Replace("count: 10", "count: 20", StringComparison.Ordinal);
        await File.WriteAllTextAsync(course, more, Stop);
        var edited = await RunAsync($"strategies edit canary-site-fleet -f {course}");
        var other = await RunAsync($"strategies create night-shift -f {course}");
        var ruled = await RunAsync($"strategies rules edit -f {rules}");
        var versions = await RunAsync("strategies versions canary-site-fleet -o json");
        var shown = await RunAsync("strategies rules get -o json");
        var inUse = await RunAsync("strategies delete canary-site-fleet");

        Assert.All([repeated, edited, other, ruled, versions, shown], run => Assert.True(run.Code == ExitCodes.Done, run.Error));
        var version = StrategyRules.FindVersion(strategies.Set, new StrategyChoice(Id("canary-site-fleet"), 0)).Version!;
        Assert.Equal((2L, 3, 20), (version.Version, version.Spec.Course.Waves.Length, version.Spec.Course.Waves[0].Size.Value));
        Assert.Equal([false, true, false], version.Spec.Course.Waves.Select(wave => wave.NeedsApproval));
        Assert.Equal(
            [2L, 1L], versions.Output.Trim().Split('\n').Select(line => V1.Strategy.Parser.ParseJson(line).Version));
        Assert.Equal(
            [("plant-7", "night-shift", 1L), ("plant-*", "canary-site-fleet", 2L)],
            strategies.Set.SiteRules.Rules.Select(rule => (rule.Site, rule.Strategy.Value, rule.MinVersion)));
        Assert.Equal(2, V1.SiteRules.Parser.ParseJson(shown.Output).Rules.Count);
        Assert.Equal(ExitCodes.Refused, inUse.Code);
        Assert.StartsWith("STRATEGY_IN_USE: Strategy 'canary-site-fleet' is needed by", inUse.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RolloutsCreate_WithAStrategy_SendsNothingBesideIt()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        CreateRollout? created = null;
        edge.Fleet.On<IRolloutGrain, RolloutReply>(nameof(IRolloutGrain.CreateAsync), (_, args) =>
        {
            created = (CreateRollout)args[0]!;
            return RolloutReply.Refused(StrategyErrors.NotFound(created.Strategy!.Strategy));
        });
        var profile = await CommandLineTests.MakeProfileAsync(edge, "otto", OperatorRole.Operator);

        var run = await CommandLineTests.RunAsync(
            "rollouts", "create", "spring", "--strategy", "canary-site-fleet@3", "--image", new string('a', 64), "--filter", "site = a",
            "--profile", profile);

        Assert.StartsWith("NOT_FOUND: There is no strategy 'canary-site-fleet'.", run.Error, StringComparison.Ordinal);
        Assert.Equal(new StrategyChoice(Id("canary-site-fleet"), 3), created!.Strategy);
        Assert.Equal(("site = a", 0), (created.Spec.Filter, created.Spec.Waves.Length));
    }

    /// <summary>The file that begins so, as the guide has it.</summary>
    private static async Task<string> FileAsync(OperatorsEdge edge, string begin)
    {
        var guide = await File.ReadAllLinesAsync(Path.Combine(Root(), "docs", "operations", "strategies.md"), Stop);
        var lines = guide.SkipWhile(line => !line.StartsWith("    " + begin, StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal));
        var file = Path.Combine(edge.Folder, begin.TrimEnd(':') + ".yaml");
        await File.WriteAllLinesAsync(file, lines.Select(line => line[4..]), Stop);
        return file;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Orleans.sln above the tests.");
        }

        return folder.FullName;
    }

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
