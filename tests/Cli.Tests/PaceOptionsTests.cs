using Muster.Cli.Rollouts;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Tests;

public sealed class PaceOptionsTests
{
    /// <summary>As the help says: 0 is no limit, and what would be out of range is the server's to name.</summary>
    [Theory]
    [InlineData("0", 0, 0)]
    [InlineData("20", 20, 0)]
    [InlineData("5%", 0, 5)]
    [InlineData("101%", 0, 101)]
    public void ReadBudget_OfACountOrAPercentage_IsThat(string text, int count, int percent)
    {
        var rollout = new V1.Rollout();

        CreateRollout.ReadBudget(text, rollout);

        Assert.Equal((count, percent), (rollout.MaxUnavailable, rollout.MaxUnavailablePercent));
    }

    [Theory]
    [InlineData("0%", "would offer nobody anything")]
    [InlineData("00%", "would offer nobody anything")]
    [InlineData("%", "is no number of devices")]
    [InlineData("-1", "is no number of devices")]
    [InlineData("", "is no number of devices")]
    public void ReadBudget_OfNone_IsUsage(string text, string expected) => Assert.Contains(
        expected,
        Assert.Throws<UsageException>(() => CreateRollout.ReadBudget(text, new V1.Rollout())).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("2:1000:succeeded")]
    [InlineData("1.5:500:offered:400")]
    public void Text_OfAGrowingRate_IsWhatIsRead(string text) => Assert.Equal(text, GrowthText.Text(GrowthText.Parse(text)));

    [Fact]
    public void Of_ARollout_ShowsItsRateAndItsBudget()
    {
        Assert.Contains("rate: no limit; in progress at a time: no limit", Show(new V1.Rollout()), StringComparison.Ordinal);
        Assert.Contains(
            "rate: 50 offers per minute, growing 2:1000:succeeded; in progress at a time: 5 % of the members",
            Show(new V1.Rollout
            {
                DevicesPerMinute = 50, RateGrowth = GrowthText.Parse("2:1000:succeeded"), MaxUnavailablePercent = 5,
            }),
            StringComparison.Ordinal);
        Assert.Contains(
            "rate: 7 offers per minute; in progress at a time: 20 devices",
            Show(new V1.Rollout { DevicesPerMinute = 7, MaxUnavailable = 20 }),
            StringComparison.Ordinal);
    }

    private static string Show(V1.Rollout rollout)
    {
        var text = new StringWriter();
        (rollout.Name, rollout.State) = ("tenants/default/rollouts/spring", V1.RolloutState.Running);
        new Output.OutputWriter(text, isJson: false).Console.Write(RolloutPicture.Of(rollout));

        // Where the terminal breaks its lines is not ours.
        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
