using Muster.Domain.EndOfSupport;

namespace Muster.Domain.Tests.EndOfSupport;

public sealed class ProductRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ProductId Model = ProductId.TryParse("P3265-V", out var id) ? id : throw new FormatException();

    [Theory]
    [InlineData("P3265-V", true)]
    [InlineData("Q3538-SLVE", true)]
    [InlineData("a", true)]
    [InlineData("", false)]
    [InlineData("-P", false)]
    [InlineData("P 3265", false)]
    [InlineData("P/3265", false)]
    [InlineData("P\"3265", false)]
    [InlineData("P3265-V\n", false)]
    public void TryParse_Forms_AreSegmentsOfNamesAndWordsOfFilters(string text, bool isValid)
    {
        Assert.Equal(isValid, ProductId.TryParse(text, out _));
    }

    [Fact]
    public void EndsAt_PrefersTheAnnouncedEndOfOsSupport()
    {
        var os = Now.AddYears(1);
        var hardware = Now.AddYears(3);
        var discontinued = Now.AddYears(-2);

        Assert.Equal(os, SupportEvaluator.EndsAt(new SupportWindow(discontinued, os, hardware)));
        Assert.Equal(discontinued.AddYears(5), SupportEvaluator.EndsAt(new SupportWindow(discontinued, null, hardware)));
        Assert.Equal(hardware, SupportEvaluator.EndsAt(new SupportWindow(null, null, hardware)));
        Assert.Null(SupportEvaluator.EndsAt(default));
    }

    [Theory]
    [InlineData("2025-05-31T23:59:59Z", SupportStatus.Supported)]
    [InlineData("2025-06-01T00:00:00Z", SupportStatus.EndingWithin12Months)]
    [InlineData("2026-05-31T23:59:59Z", SupportStatus.EndingWithin12Months)]
    [InlineData("2026-06-01T00:00:00Z", SupportStatus.EndOfSupport)]
    [InlineData("2036-06-01T00:00:00Z", SupportStatus.EndOfSupport)]
    public void StatusAt_AnyInstant_FollowsTheEnd(string at, SupportStatus status)
    {
        var window = new SupportWindow(null, new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), null);
        var instant = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(status, SupportEvaluator.StatusAt(window, instant));
        Assert.Equal(SupportStatus.NoDateAnnounced, SupportEvaluator.StatusAt(default, Now));
    }

    [Fact]
    public void Create_Repeated_GivesTheSameAnswer()
    {
        var product = Create(Now.AddSeconds(5));

        Assert.Empty(ProductRules.Create(product, (TenantId.Default, Model), product.Spec, "r1", Now).Events);
        Assert.Equal("ALREADY_EXISTS", ProductRules.Create(product, (TenantId.Default, Model), product.Spec, "r2", Now).Error?.Reason);
        Assert.Equal("ALREADY_EXISTS", ProductRules.Create(product, (TenantId.Default, Model), product.Spec, "", Now).Error?.Reason);
        var other = product.Spec with { Replacement = "P9999" };
        Assert.Equal("REQUEST_ID_REUSED", ProductRules.Create(product, (TenantId.Default, Model), other, "r1", Now).Error?.Reason);
        var changed = ProductRules.Update(product, other, Now).Next;
        Assert.Null(ProductRules.Create(changed, (TenantId.Default, Model), product.Spec, "r1", Now).Error);
    }

    [Fact]
    public void CreateAndUpdate_WithDatesInTheWrongOrderOrOutOfRange_AreRefused()
    {
        var product = Create(null);
        var wrongOrder = new ProductSpec(new SupportWindow(Now, Now.AddDays(-1), null), "");
        var outOfRange = new ProductSpec(new SupportWindow(null, new DateTimeOffset(26, 1, 1, 0, 0, 0, TimeSpan.Zero), null), "");
        var longName = new ProductSpec(default, new string('x', ProductSpec.ReplacementLengthMax + 1));

        Assert.All([wrongOrder, outOfRange, longName], spec =>
        {
            Assert.Equal("REQUEST_INVALID", ProductRules.Create(null, (TenantId.Default, Model), spec, "r1", Now).Error?.Reason);
            Assert.Equal("REQUEST_INVALID", ProductRules.Update(product, spec, Now).Error?.Reason);
        });
    }

    [Fact]
    public void Look_AtTheEndOfSupport_TellsItOnceWithTheCampaign()
    {
        var endsAt = Now.AddSeconds(5);
        var product = Create(endsAt);

        Assert.Equal(endsAt, ProductRules.NextDueAt(product));
        Assert.Equal("", ProductRules.CampaignAt(product, endsAt.AddTicks(-1)));
        var campaign = ProductRules.CampaignAt(product, endsAt);
        Assert.Equal("P3265-V:20260601T120005Z", campaign);
        var ended = ProductRules.Look(product, campaign, endsAt);

        Assert.Contains(ended.Events, fact => fact is SupportEnded);
        Assert.Contains(ended.Events, fact => fact is SupportStatusChanged { Status: SupportStatus.EndOfSupport });
        Assert.Null(ProductRules.NextDueAt(ended.Next));
        Assert.Empty(ProductRules.Look(ended.Next, campaign, endsAt.AddYears(1)).Events);
    }

    [Fact]
    public void Update_WhenTheEndMovesAhead_WithdrawsTheCampaign()
    {
        var product = Ended();

        var moved = ProductRules.Update(product, Spec(Now.AddYears(3)), Now).Next;
        var looked = ProductRules.Look(moved, ProductRules.CampaignAt(moved, Now), Now);

        Assert.Equal(Now, ProductRules.NextDueAt(moved));
        Assert.IsType<SupportEndWithdrawn>(looked.Events.Single());
        Assert.Equal(Now.AddYears(2), ProductRules.NextDueAt(looked.Next));
    }

    [Fact]
    public void Update_WhenTheDateIsTakenBack_WithdrawsTheCampaignAndRests()
    {
        var moved = ProductRules.Update(Ended(), Spec(null), Now).Next;

        var looked = ProductRules.Look(moved, ProductRules.CampaignAt(moved, Now), Now);

        Assert.Equal(Now, ProductRules.NextDueAt(moved));
        Assert.Equal("", looked.Next.OpenCampaign);
        Assert.Null(ProductRules.NextDueAt(looked.Next));
    }

    [Fact]
    public void Update_WhenThePastDateIsCorrected_ReplacesTheCampaign()
    {
        var moved = ProductRules.Update(Ended(), Spec(Now.AddYears(-2)), Now).Next;

        var looked = ProductRules.Look(moved, ProductRules.CampaignAt(moved, Now), Now);

        Assert.Equal(Now, ProductRules.NextDueAt(moved));
        Assert.Collection(
            looked.Events,
            fact => Assert.IsType<SupportEndWithdrawn>(fact),
            fact => Assert.IsType<SupportEnded>(fact));
        Assert.Null(ProductRules.NextDueAt(looked.Next));
    }

    private static Product Ended()
    {
        var product = Create(Now.AddDays(-1));
        return ProductRules.Look(product, ProductRules.CampaignAt(product, Now), Now).Next;
    }

    private static Product Create(DateTimeOffset? endsAt) =>
        ProductRules.Create(null, (TenantId.Default, Model), Spec(endsAt), "r1", Now).Next!;

    private static ProductSpec Spec(DateTimeOffset? endsAt) => new(new SupportWindow(null, endsAt, null), "P3285-V");
}
