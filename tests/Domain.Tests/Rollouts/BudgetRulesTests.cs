using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class BudgetRulesTests
{
    [Fact]
    public void Validate_OfFieldsThatDevicesHave_FindsNothing() => Assert.Empty(RolloutSpecRules.Validate(With(
        new("site", Amount.Percent(10)),
        new("labels.redundancy_group", Amount.Count(1)),
        new("model", Amount.Count(ValueBudget.SeatsMax)))));

    [Theory]
    [InlineData("colour", "'colour' is not a field")]
    [InlineData("redundancy_group", "labels.redundancy_group")]
    [InlineData("model, site", "A budget is of one field")]
    [InlineData("", "A budget is of one field")]
    [InlineData("settings.root.Brand", "Settings have no budget")]
    [InlineData("labels", "labels needs a key")]
    [InlineData("connected", "changes with every session")]
    [InlineData("site", "one field, one budget")]
    public void Validate_OfAFieldThatHasNoBudget_NamesTheEntry(string field, string text)
    {
        var problem = Assert.Single(
            RolloutSpecRules.Validate(With(new("site", Amount.Percent(10)), new(field, Amount.Count(1)))));

        Assert.Equal("max_unavailable_per[1].field", problem.Field);
        Assert.Contains(text, problem.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("group_by", problem.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AmountKind.Unspecified, 1)]
    [InlineData(AmountKind.Count, 0)]
    [InlineData(AmountKind.Count, ValueBudget.SeatsMax + 1)]
    [InlineData(AmountKind.Percent, 0)]
    [InlineData(AmountKind.Percent, 101)]
    public void Validate_OfALimitThatIsNone_SaysWhatOneIs(AmountKind kind, int value)
    {
        var problem = Assert.Single(RolloutSpecRules.Validate(With(new ValueBudget("site", new Amount(kind, value)))));

        Assert.Equal("max_unavailable_per[0].limit", problem.Field);
        Assert.Contains("a count from 1 to 1024, or a percentage from 1 to 100", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfMoreBudgetsThanThereMayBe_SaysHowMany() => Assert.Equal(
        new SpecProblem("max_unavailable_per", "has at most 3 budgets"),
        Assert.Single(RolloutSpecRules.Validate(With(
            new("site", Amount.Count(1)),
            new("model", Amount.Count(1)),
            new("track", Amount.Count(1)),
            new("labels.a", Amount.Count(1))))));

    /// <summary>Approvals that were given before there were such budgets are of what they were of.</summary>
    [Fact]
    public void Fingerprint_WithoutBudgets_IsAsItWas()
    {
        var spec = Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100)));

        Assert.Equal(
            "a9bec012603319474b98b789dad2421b35fef547f535d90dca40217329aeaa81", (spec with { MaxUnavailablePer = [] }).Fingerprint);
        Assert.Equal(spec, spec with { MaxUnavailablePer = default });
        Assert.Equal(spec.Fingerprint, (spec with { MaxUnavailablePer = default }).Fingerprint);
    }

    [Fact]
    public void GroupsOf_ARow_AreItsValuesAndNoneWhereItHasNone()
    {
        var reader = new GroupReader([new("site", Amount.Count(1)), new("labels.redundancy_group", Amount.Count(1))]);
        var row = new Row(new string('x', 120), "door");

        Assert.Equal(
            [new GroupName("site", new string('x', ValueBudget.ValueCharactersMax)), new GroupName("labels.redundancy_group", "door")],
            reader.GroupsOf(row));
        Assert.Equal([null, null], reader.GroupsOf(new Row("", "")));
    }

    [Fact]
    public void Of_MembersByGroup_KeepsEachNameOnce()
    {
        var (lund, oslo) = (new GroupName("site", "Lund"), new GroupName("site", "Oslo"));

        var groups = MemberGroups.Of(1, [[lund], [null], [oslo], [lund]]);

        Assert.Equal([lund, oslo], groups.Groups);
        Assert.Equal([0, MemberGroups.None, 1, 0], Enumerable.Range(0, 4).Select(member => groups.Of(member, 0)));
    }

    private static RolloutSpec With(params ValueBudget[] budgets) =>
        Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100))) with { MaxUnavailablePer = [.. budgets] };

    private sealed record Row(string Site, string Group) : IFieldSource
    {
        public FieldValue Field(string name, string key) => FieldValue.Of(name == "site" ? Site : key == "redundancy_group" ? Group : "");
    }
}
