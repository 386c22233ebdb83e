using System.Collections.Immutable;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Rollouts from strategies, and sites that need one, in a silo; the rules are the domain's.</summary>
public sealed class RolloutStrategyTests(RolloutSilo silo) : IClassFixture<RolloutSilo>
{
    private IStrategySetGrain Strategies => silo.Grains.GetStrategySet(TenantId.Default);

    [Fact]
    public async Task Rollout_FromAStrategy_IsTheOneByHandAndNoLaterVersionChangesIt()
    {
        silo.Fleet.Add("from", 10);
        await MakeAsync("from", canaries: 3);
        var created = await CreateAsync("from", "from");
        await EditAsync("from", canaries: 5);
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("from"));
        await rollout.StartAsync(RolloutSilo.Order);
        await silo.UntilAsync("from", _ => silo.Fleet.Offered("from").Length == 3);
        await EditAsync("from", canaries: 6);
        await silo.CrashAsync(RolloutSilo.RecordOf("from"));
        await silo.SettleAsync("from");
        Assert.Equal(3, silo.Fleet.Offered("from").Length);
        var ended = await silo.UntilAsync("from", now => now.Plan.IsTerminal, () => silo.Fleet.End("from", ChangeOutcome.Succeeded));

        var byHand = Order("from") with { TargetVersion = "12.1.0", Waves = Course(3).Waves };
        Assert.Equal(byHand, created.Rollout!.Spec with { Strategy = null });
        Assert.Equal("from@1", created.Rollout.Spec.Strategy?.ToString());
        Assert.Equal(created.Rollout.Spec, ended.Spec);
        Assert.Equal((RolloutState.Succeeded, 3), (ended.Plan.State, ended.Plan.Waves[0].Totals.Succeeded));
        var told = silo.Store.FactsOf(RolloutSilo.RecordOf("from")).OfType<RolloutCreated>().Single();
        Assert.Equal(created.Rollout.Spec, told.Spec);
    }

    [Fact]
    public async Task CreateAsync_OfAPinnedVersion_TakesThatOne()
    {
        silo.Fleet.Add("pinned", 4);
        await MakeAsync("pinned", canaries: 1);
        await EditAsync("pinned", canaries: 2);

        var missing = await CreateAsync("pinned", "pinned", version: 3);
        var unknown = await CreateAsync("pinned", "no-such");
        var pinned = await CreateAsync("pinned", "pinned", version: 1);
        var repeated = await CreateAsync("pinned", "pinned", version: 1);
        var another = await CreateAsync("pinned", "pinned", version: 2);

        Assert.Equal(("NOT_FOUND", "NOT_FOUND"), (missing.Error?.Reason, unknown.Error?.Reason));
        Assert.Equal(("pinned@1", 1), (pinned.Rollout!.Spec.Strategy!.ToString(), pinned.Rollout.Spec.Waves[0].Size.Value));
        Assert.Equal(pinned.Rollout.Spec, repeated.Rollout!.Spec);
        Assert.Equal(RolloutErrors.RequestIdReusedReason, another.Error?.Reason);
    }

    /// <summary>Whoever writes a strategy's name beside waves of his own is not believed.</summary>
    [Fact]
    public async Task CreateAsync_OfASpecThatCallsItself_IsFromNoStrategy()
    {
        silo.Fleet.Add("liar", 4);
        await MakeAsync("liar", canaries: 1);
        await RuleAsync(new SiteRule("liar", RolloutSilo.IdOf("liar"), 1));
        var claim = (await Strategies.GetAsync(new StrategyChoice(RolloutSilo.IdOf("liar"), 0))).Version!.Reference;
        var weak = Order("liar") with { Waves = Course(4).Waves, Strategy = claim };
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("liar"));

        var own = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", weak, false));
        var both = await rollout.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r2", weak, false)
        {
            Strategy = new StrategyChoice(RolloutSilo.IdOf("liar"), 0),
        });
        var edited = await rollout.UpdateAsync(new UpdateRollout(RolloutSilo.Anna, weak, ""));

        Assert.Equal(StrategyErrors.RequiredReason, own.Error?.Reason);
        Assert.Equal(1, both.Rollout!.Spec.Waves[0].Size.Value);
        Assert.Equal(StrategyErrors.RequiredReason, edited.Error?.Reason);
        Assert.Equal(both.Rollout.Spec, (await rollout.GetAsync()).Rollout!.Spec);
    }

    [Fact]
    public async Task SiteRules_OfAnotherStrategy_RefuseTheValidationTheCreationAndTheStart()
    {
        silo.Fleet.Add("ruled", 8);
        await MakeAsync("ruled", canaries: 1);
        await EditAsync("ruled", canaries: 2);
        await RuleAsync();
        var early = await silo.CreateAsync("ruled");
        await RuleAsync(new SiteRule("rul*", RolloutSilo.IdOf("ruled"), 2));
        var late = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("ruled-late"));
        var spec = Order("ruled") with { Waves = Course(4).Waves };

        var started = await early.StartAsync(RolloutSilo.Order);
        var validated = await late.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec, ValidateOnly: true));
        var created = await late.CreateAsync(new CreateRollout(RolloutSilo.Anna, "r1", spec, ValidateOnly: false));
        var older = await CreateAsync("ruled-late", "ruled", version: 1, site: "ruled");
        var newest = await CreateAsync("ruled-late", "ruled", site: "ruled");
        var ran = await late.StartAsync(RolloutSilo.Order);

        Assert.All([started, validated, created, older], reply => Assert.Equal(StrategyErrors.RequiredReason, reply.Error?.Reason));
        Assert.Contains("muster rollouts create ruled-late --strategy ruled", validated.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(RolloutState.Draft, (await early.GetAsync()).Rollout!.Plan.State);
        Assert.Empty(HeldFeeds("ruled"));
        Assert.Equal((null, "ruled@2"), (newest.Error, newest.Rollout?.Spec.Strategy?.ToString()));
        Assert.Equal(RolloutState.Running, ran.Rollout?.Plan.State);

        // The draft that was there before the rule is edited to be from the strategy, and starts.
        var edited = await early.UpdateAsync(new UpdateRollout(RolloutSilo.Anna, Order("ruled"), "")
        {
            Strategy = new StrategyChoice(RolloutSilo.IdOf("ruled"), 0),
        });
        Assert.Equal("ruled@2", edited.Rollout!.Spec.Strategy?.ToString());
        Assert.Null((await early.StartAsync(RolloutSilo.Order)).Error);
    }

    [Fact]
    public async Task StartAsync_OfMembersThatMovedSinceTheCreation_IsJudgedByThoseThatAreFrozen()
    {
        var devices = silo.Fleet.Add("free", 6);
        await MakeAsync("moved", canaries: 1);
        await RuleAsync(new SiteRule("guarded", RolloutSilo.IdOf("moved"), 1));
        var rollout = await silo.CreateAsync("free", spec => spec with { Filter = "site = free OR site = guarded" });
        silo.Fleet.Move(devices[3], "guarded");

        var refused = await rollout.StartAsync(RolloutSilo.Order);
        silo.Fleet.Move(devices[3], "free");
        var started = await rollout.StartAsync(RolloutSilo.Order);
        silo.Fleet.Move(devices[2], "guarded");
        await silo.UntilAsync("free", _ => silo.Fleet.Offered("free").Length > 0);

        Assert.Equal(StrategyErrors.RequiredReason, refused.Error?.Reason);
        Assert.Equal("guarded", refused.Error!.Metadata.Single(detail => detail.Key == "sites").Value);
        Assert.Equal((RolloutState.Running, 6), (started.Rollout!.Plan.State, started.Rollout.Plan.Members));
    }

    [Fact]
    public async Task CreateAsync_ForSitesThatNeedDifferentStrategies_NamesAFilterForEach()
    {
        silo.Fleet.Add("mixed-a", 3);
        silo.Fleet.Add("mixed-b", 3);
        silo.Fleet.Add("mixed-c", 3);
        await MakeAsync("mixed-one", canaries: 1);
        await MakeAsync("mixed-two", canaries: 2);
        await RuleAsync(
            new SiteRule("mixed-a", RolloutSilo.IdOf("mixed-one"), 1), new SiteRule("mixed-b", RolloutSilo.IdOf("mixed-two"), 1));
        var all = Order("") with { Filter = "site = \"mixed-*\"" };
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("mixed"));

        var refused = await rollout.CreateAsync(FromStrategy(all, "mixed-one"));
        var filter = refused.Error!.Metadata.Single(detail => detail.Key == "mixed-one").Value.Split(": ")[1];
        var one = await rollout.CreateAsync(FromStrategy(all with { Filter = $"{all.Filter} AND {filter}" }, "mixed-one"));
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal(StrategyErrors.DifferentReason, refused.Error.Reason);
        Assert.Null(one.Error);
        Assert.Equal(3, started.Rollout!.Plan.Members);
    }

    [Fact]
    public async Task StartAsync_OfARolloutWhoseStrategyWasDeleted_IsAsItWasOrdered()
    {
        silo.Fleet.Add("deleted", 5);
        await MakeAsync("deleted", canaries: 2);
        await RuleAsync();
        var created = await CreateAsync("deleted", "deleted");
        Assert.Null((await Strategies.DeleteAsync(new DeleteStrategy(RolloutSilo.Anna, RolloutSilo.IdOf("deleted"), ""))).Error);
        await MakeAsync("deleted", canaries: 1, request: "again");
        await RuleAsync(new SiteRule("deleted", RolloutSilo.IdOf("deleted"), 1));
        var rollout = silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("deleted"));

        var refused = await rollout.StartAsync(RolloutSilo.Order);
        await RuleAsync();
        var started = await rollout.StartAsync(RolloutSilo.Order);

        Assert.Equal(StrategyErrors.RequiredReason, refused.Error?.Reason);
        Assert.Equal((null, created.Rollout!.Spec), (started.Error, started.Rollout!.Spec));
    }

    [Fact]
    public async Task UpdateAsync_ToAStrategy_VoidsWhatWasApproved()
    {
        silo.Fleet.Add("voided", 4);
        await MakeAsync("voided", canaries: 4);
        await RuleAsync();
        var rollout = await silo.CreateAsync("voided", spec => spec with { ApprovalsRequired = 1, Waves = Course(4).Waves });
        var seen = (await rollout.GetAsync()).Rollout!.Spec.Fingerprint;
        await rollout.ApproveAsync(new ApproveRollout(Actor.Operator("bert"), [Domain.Operators.OperatorRole.Approver], seen));

        var edited = await rollout.UpdateAsync(new UpdateRollout(RolloutSilo.Anna, Order("voided"), seen)
        {
            Strategy = new StrategyChoice(RolloutSilo.IdOf("voided"), 0),
        });

        Assert.Null(edited.Error);
        Assert.NotEqual(seen, edited.Rollout!.Spec.Fingerprint);
        Assert.Empty(edited.Rollout.Approvals);
    }

    [Fact]
    public async Task FreezeAsync_RepeatedByAnActivationThatDidNotCount_DoesNotSayWhere()
    {
        silo.Fleet.Add("recount", 6);
        await MakeAsync("recount", canaries: 1);
        await RuleAsync(new SiteRule("recount", RolloutSilo.IdOf("recount"), 1));
        var partition = silo.Fleet.PartitionsOf("recount")[0];
        var share = silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("recount"), partition);
        var command = new FreezeMembers(Guid.NewGuid(), "site = recount", 1) { SiteRules = await Strategies.GetSiteRulesAsync() };

        var first = await share.FreezeAsync(command);
        await silo.CrashAsync(new RecordKey(GrainTypes.RolloutPartition, $"default/recount/{partition}"));
        var again = await share.FreezeAsync(command);
        var without = await silo.Grains.GetRolloutPartition(TenantId.Default, RolloutSilo.IdOf("recount-free"), partition)
            .FreezeAsync(new FreezeMembers(Guid.NewGuid(), "site = recount", 1));

        Assert.Equal(first.Total, Assert.Single(first.Sites!.Rules).Members);
        Assert.Equal((first.Total, null), (again.Total, again.Sites));
        Assert.Equal((first.Total, null), (without.Total, without.Sites));
    }

    private static RolloutSpec Order(string site) => new()
    {
        ImageDigest = FleetFactory.Digest,
        TargetVersion = "",
        Filter = $"site = {site}",
        Waves = [],
    };

    private static RolloutSpec Course(int canaries) => new()
    {
        ImageDigest = "",
        TargetVersion = "",
        Waves =
        [
            new WaveSpec(Amount.Count(canaries), 100, 1, TimeSpan.Zero, ConnectedOnly: true),
            new WaveSpec(Amount.Percent(100), 100, 1, TimeSpan.Zero, ConnectedOnly: false),
        ],
    };

    private static CreateRollout FromStrategy(RolloutSpec order, string strategy, long version = 0) =>
        new(RolloutSilo.Anna, "r1", order, ValidateOnly: false)
        {
            Strategy = new StrategyChoice(RolloutSilo.IdOf(strategy), version),
        };

    private Task<RolloutReply> CreateAsync(string id, string strategy, long version = 0, string? site = null) => silo.Grains
        .GetRollout(TenantId.Default, RolloutSilo.IdOf(id))
        .CreateAsync(FromStrategy(Order(site ?? id), strategy, version));

    private async Task MakeAsync(string strategy, int canaries, string request = "r1") => Assert.Null(
        (await Strategies.CreateAsync(new CreateStrategy(
            RolloutSilo.Anna, request, RolloutSilo.IdOf(strategy), new StrategySpec("", Course(canaries))))).Error);

    private async Task EditAsync(string strategy, int canaries) => Assert.Null(
        (await Strategies.UpdateAsync(new UpdateStrategy(
            RolloutSilo.Anna, RolloutSilo.IdOf(strategy), new StrategySpec("", Course(canaries)), ""))).Error);

    private async Task RuleAsync(params ImmutableArray<SiteRule> rules) => Assert.Null(
        (await Strategies.UpdateSiteRulesAsync(new UpdateSiteRules(RolloutSilo.Anna, rules, ""))).Error);

    private IEnumerable<int> HeldFeeds(string site)
    {
        var reader = RolloutKey.ReaderOf(TenantId.Default, RolloutSilo.IdOf(site));
        return Enumerable.Range(0, PartitionMap.CountMin).Where(partition => silo.Store.HeldBy(partition, reader) is not null);
    }
}
