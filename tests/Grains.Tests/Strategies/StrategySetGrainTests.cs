using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Muster.Grains.Strategies;
using Muster.Grains.Tests.Devices;
using Muster.Testing.Stores;
using Orleans.Serialization;

namespace Muster.Grains.Tests.Strategies;

public sealed class StrategySetGrainTests(DeviceSilo silo)
{
    [Fact]
    public async Task Changes_OfAStrategy_SurviveTheActivationAndOlderVersionsAreRead()
    {
        var grain = silo.Grains.GetStrategySet(Tenant("strategies-life"));
        var created = await grain.CreateAsync(new CreateStrategy(Unit.Anna, "r1", Id("canary"), Course(1)));
        var updated = await grain.UpdateAsync(new UpdateStrategy(Unit.Anna, Id("canary"), Course(2), created.Version!.Etag));
        await silo.ForgetAsync(grain.GetGrainId());

        var newest = await grain.GetAsync(new StrategyChoice(Id("canary"), 0));
        var first = await grain.GetAsync(new StrategyChoice(Id("canary"), 1));

        Assert.Equal(updated.Version, newest.Version);
        Assert.Equal((2L, 1L), (newest.Version!.Version, first.Version!.Version));
        Assert.Equal((1, Unit.Anna), (first.Version.Spec.Course.Waves[0].Size.Value, first.Version.ChangedBy));
        Assert.Equal([newest.Version], await grain.ListAsync());
        Assert.Equal([1L, 2L], (await grain.ListVersionsAsync(Id("canary"))).Select(version => version.Version));
        Assert.Equal("NOT_FOUND", (await grain.GetAsync(new StrategyChoice(Id("canary"), 3))).Error?.Reason);
        Assert.Empty(await grain.ListVersionsAsync(Id("none")));
    }

    [Fact]
    public async Task SiteRules_ThatNameAStrategy_KeepItFromBeingDeleted()
    {
        var grain = silo.Grains.GetStrategySet(Tenant("strategies-rules"));
        await grain.CreateAsync(new CreateStrategy(Unit.Anna, "r1", Id("canary"), Course(1)));
        var early = await grain.UpdateSiteRulesAsync(new UpdateSiteRules(Unit.Anna, [new SiteRule("a", Id("slow"), 1)], ""));
        var ruled = await grain.UpdateSiteRulesAsync(new UpdateSiteRules(Unit.Anna, [new SiteRule("a*", Id("canary"), 1)], ""));
        var kept = await grain.DeleteAsync(new DeleteStrategy(Unit.Anna, Id("canary"), ""));
        await silo.ForgetAsync(grain.GetGrainId());
        Assert.Equal(ruled.Rules.Rules, (await grain.GetSiteRulesAsync()).Rules);
        var freed = await grain.UpdateSiteRulesAsync(new UpdateSiteRules(Unit.Anna, [], ruled.Rules.Etag));
        var gone = await grain.DeleteAsync(new DeleteStrategy(Unit.Anna, Id("canary"), ""));

        Assert.Equal((StrategyErrors.SiteRulesInvalidReason, 0), (early.Error?.Reason, early.Rules.Rules.Length));
        Assert.Equal(StrategyErrors.InUseReason, kept.Error?.Reason);
        Assert.Null(freed.Error);
        Assert.Equal((null, null), (gone.Error, gone.Version));
        Assert.Empty(await grain.ListAsync());
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task UpdateSiteRulesAsync_WhenTheWriteFails_NextCallSeesStoredState(StorageFault fault)
    {
        var grain = silo.Grains.GetStrategySet(Tenant($"strategies-{(int)fault}"));
        await grain.CreateAsync(new CreateStrategy(Unit.Anna, "r1", Id("canary"), Course(1)));
        silo.FailNextWrite(grain.GetGrainId(), fault);
        var command = new UpdateSiteRules(Unit.Anna, [new SiteRule("a", Id("canary"), 1)], "");

        await Assert.ThrowsAsync<StoreUnavailableException>(() => grain.UpdateSiteRulesAsync(command));

        Assert.Equal(fault == StorageFault.ReplyLost ? 1 : 0, (await grain.GetSiteRulesAsync()).Rules.Length);
        Assert.Single((await grain.UpdateSiteRulesAsync(command)).Rules.Rules);
    }

    /// <summary>The largest set that the rules allow is one record, and a commit holds a megabyte.</summary>
    [Fact]
    public void Record_OfAFullSet_FitsIntoACommit()
    {
        var full = Enumerable.Range(0, StrategyRules.StrategiesMax).Aggregate(
            StrategySet.Empty,
            (set, i) => Enumerable.Range(1, StrategyRules.VersionsMax - 1).Aggregate(
                StrategyRules.Create(set, LongId($"s{i:00}-"), Large(0), "r1", By).Next,
                (all, version) => StrategyRules.Update(all, LongId($"s{i:00}-"), Large(version), "", By).Next));
        Assert.Equal(StrategyRules.VersionsMax, full.Strategies[^1].Versions.Length);
        var rules = StrategyRules.UpdateSiteRules(
            full,
            [
                .. Enumerable.Range(0, StrategyRules.SiteRulesMax).Select(i =>
                    new SiteRule($"{i:000}" + new string('å', 97), LongId("s00-"), 1)),
            ],
            "",
            By);
        Assert.Null(rules.Error);

        using var services = new ServiceCollection()
            .AddSerializer(serializer => serializer
                .AddAssembly(typeof(StrategySet).Assembly)
                .AddAssembly(typeof(StrategySetRecord).Assembly))
            .BuildServiceProvider();
        var size = services.GetRequiredService<Serializer>().SerializeToArray(new StrategySetRecord { Set = rules.Next }).Length;

        Assert.InRange(size, StrategyRules.StrategiesMax * StrategyRules.VersionsMax * 1_000, 1024 * 1024 - (64 * 1024));
    }

    private static StrategyOrder By { get; } = new(Unit.Anna, new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    private static StrategySpec Course(int canaries) => new("", new RolloutSpec
    {
        ImageDigest = "",
        TargetVersion = "",
        Waves = [new WaveSpec(Amount.Count(canaries), 100, 1, TimeSpan.Zero, ConnectedOnly: true)],
    });

    /// <summary>As many waves and windows as fit.</summary>
    private static StrategySpec Large(int version)
    {
        var windows = ImmutableArray.CreateRange(Enumerable.Repeat(
            new OfferWindow(string.Join(',', Enumerable.Range(10, 31)) + " 1 * * *", TimeSpan.FromDays(7), "Europe/Stockholm"), 13));
        var waves = ImmutableArray.CreateRange(Enumerable.Repeat(
            new WaveSpec(Amount.Count(1_000_000 + version), 100, 99_999_999, TimeSpan.FromDays(90), ConnectedOnly: true), 29));
        return new(new string('å', StrategyRules.DescriptionLengthMax), Course(1).Course with { Waves = waves, Windows = windows });
    }

    private static ResourceId LongId(string begin) => Id(begin + new string('x', 63 - begin.Length));

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var tenant) ? tenant : throw new FormatException();
}
