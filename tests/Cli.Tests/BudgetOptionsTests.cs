using System.CommandLine;
using Muster.Cli.Rollouts;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

public sealed class BudgetOptionsTests
{
    [Fact]
    public void Read_OfBudgets_IsWhatIsShown()
    {
        var rollout = Read("--max-unavailable-per", "site=10%", "--max-unavailable-per", "labels.redundancy_group=1");

        Assert.Equal(
            [new V1.ValueBudget { Field = "site", Percent = 10 }, new V1.ValueBudget { Field = "labels.redundancy_group", Count = 1 }],
            rollout.MaxUnavailablePer);
        Assert.Equal(["site=10%", "labels.redundancy_group=1"], rollout.MaxUnavailablePer.Select(BudgetOptions.Text));
        Assert.Empty(Read().MaxUnavailablePer);
    }

    [Theory]
    [InlineData("site")]
    [InlineData("=1")]
    [InlineData("site=")]
    [InlineData("site=%")]
    [InlineData("site=-1")]
    [InlineData("site=1.5%")]
    [InlineData("%")]
    public void Read_OfNoBudget_IsUsage(string value) => Assert.Contains(
        "is not FIELD=N", Assert.Throws<UsageException>(() => Read("--max-unavailable-per", value)).Message, StringComparison.Ordinal);

    private static V1.Rollout Read(params string[] args)
    {
        var command = new Command("create") { BudgetOptions.Per };
        var rollout = new V1.Rollout();
        BudgetOptions.Read(command.Parse(args), rollout);
        return rollout;
    }
}
