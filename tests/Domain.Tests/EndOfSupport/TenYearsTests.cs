using Microsoft.Extensions.Time.Testing;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Tests.Decommissioning;
using Muster.Domain.Warranty;

namespace Muster.Domain.Tests.EndOfSupport;

/// <summary>A due list over ten simulated years: jumps to the next date, looks, and counts what is told.</summary>
public sealed class TenYearsTests
{
    private const int Years = 10;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Warranties_OverTenYears_EndOnceEachOnTheirDay()
    {
        var clock = new FakeTimeProvider(Start);
        var covers = Enumerable.Range(0, 500)
            .Select(i => WarrantyRules.Set(
                WarrantyCover.Empty(TenantId.Default, Device(i)),
                new WarrantyTerm(new DateOnly(2022, 1, 1).AddDays(i * 5), 12 + (i % 109)),
                clock.GetUtcNow()).Next)
            .ToArray();
        var told = new Dictionary<DeviceId, DateTimeOffset>();
        var looks = 0;

        while (NextDue(covers.Select(WarrantyClock.NextDueAt)) is var (index, at) && at < Start.AddYears(Years))
        {
            looks++;
            AdvanceTo(clock, at);
            var decision = WarrantyRules.Look(covers[index], DeviceState.InService, clock.GetUtcNow());
            Assert.True(told.TryAdd(covers[index].Device, clock.GetUtcNow()), "told twice");
            covers[index] = decision.Next;
        }

        var due = covers.Where(cover => WarrantyClock.EndsAt(cover.Term) < Start.AddYears(Years)).ToArray();
        Assert.Equal(due.Length, looks);
        Assert.All(due, cover => Assert.Equal(Later(WarrantyClock.EndsAt(cover.Term)!.Value), told[cover.Device]));
        Assert.All(due, cover => Assert.Equal(WarrantyReviewState.Open, cover.Review));
    }

    [Fact]
    public void Products_OverTenYears_TellEachMilestoneOnceOnTime()
    {
        var clock = new FakeTimeProvider(Start);
        var products = Enumerable.Range(0, 200).Select(i => ProductRules.Create(
            null,
            (TenantId.Default, Product(i)),
            new ProductSpec(new SupportWindow(null, Start.AddDays((i * 29) - 700), null), ""),
            "r",
            clock.GetUtcNow()).Next!).ToArray();
        var ended = new Dictionary<string, DateTimeOffset>();
        var looks = 0;

        while (NextDue(products.Select(ProductRules.NextDueAt)) is var (index, at) && at < Start.AddYears(Years))
        {
            looks++;
            AdvanceTo(clock, at);
            var now = clock.GetUtcNow();
            var decision = ProductRules.Look(products[index], ProductRules.CampaignAt(products[index], now), now);
            Assert.NotEmpty(decision.Events);
            foreach (var end in decision.Events.OfType<SupportEnded>())
            {
                Assert.True(ended.TryAdd(end.Campaign, now), "told twice");
            }

            products[index] = decision.Next;
        }

        var over = products.Where(product => SupportEvaluator.EndsAt(product.Spec.Window) < Start.AddYears(Years)).ToArray();
        Assert.Equal(over.Length, ended.Count);
        Assert.All(over, product => Assert.Equal(
            Later(SupportEvaluator.EndsAt(product.Spec.Window)!.Value), ended[product.OpenCampaign]));
        // At most the warning and the end each: nothing spins.
        Assert.InRange(looks, over.Length, 2 * products.Length);
    }

    [Fact]
    public void Campaign_OverTenYears_SweepsOnceADayAndCoversWhoJoined()
    {
        var clock = new FakeTimeProvider(Start);
        var campaign = CampaignRules.Open(null, new SupportCampaign
        {
            Tenant = TenantId.Default,
            Product = Product(0),
            Id = "c",
            EndsAt = Start,
            OpenedAt = Start,
            Done = PartitionSet.Empty(16),
            NextSweepAt = Start,
        }).Next!;
        var full = Enumerable.Range(0, 16).Aggregate(PartitionSet.Empty(16), (set, partition) => set.With(partition));
        var decommissions = new Dictionary<int, Decommission>();

        while (CampaignRules.NextDueAt(campaign) is { } at && at < Start.AddYears(Years))
        {
            AdvanceTo(clock, at);
            var now = clock.GetUtcNow();
            // One device more joins every hundred days.
            var members = 1 + (int)((now - Start).TotalDays / 100);
            var counted = 0;
            for (var i = 0; i < members; i++)
            {
                var device = Ends.Device() with { Id = Device(i) };
                var decision = DecommissionRules.Propose(
                    decommissions.GetValueOrDefault(i), device, new Proposal(DecommissionCause.EndOfSupport, campaign.Id), now);
                decommissions[i] = decision.Next!;
                counted += CampaignRules.Counts(campaign, decision.Next) ? 1 : 0;
            }

            // A millisecond passes until the commit.
            clock.Advance(TimeSpan.FromMilliseconds(1));
            campaign = CampaignRules.Advance(campaign, new SweepStep(full, "", counted, 0), clock.GetUtcNow()).Next!;
        }

        Assert.Equal(decommissions.Count, campaign.Proposed);
        Assert.Equal(37, decommissions.Count);
        Assert.InRange(campaign.Sweeps, 3_650, 3_653);
    }

    private static DateTimeOffset Later(DateTimeOffset date) => date > Start ? date : Start;

    private static (int Index, DateTimeOffset At)? NextDue(IEnumerable<DateTimeOffset?> dates) => dates
        .Select((at, index) => (Index: index, At: at))
        .Where(due => due.At is not null)
        .OrderBy(due => due.At)
        .Select(due => ((int, DateTimeOffset)?)(due.Index, due.At!.Value))
        .FirstOrDefault();

    private static void AdvanceTo(FakeTimeProvider clock, DateTimeOffset at)
    {
        if (at > clock.GetUtcNow())
        {
            clock.SetUtcNow(at);
        }
    }

    private static DeviceId Device(int i) => DeviceId.TryParse($"B8A44F{i:X6}", out var id) ? id : throw new FormatException();

    private static ProductId Product(int i) => ProductId.TryParse($"P{i:D4}-V", out var id) ? id : throw new FormatException();
}
