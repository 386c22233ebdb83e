namespace Muster.Scenarios.Tests;

/// <summary>One step of the demo is wrong on purpose: its verification has to catch exactly that.</summary>
[Collection(nameof(DemoProgram))]
public sealed class DemoBreakTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("unsigned-image")]
    [InlineData("lying-digest")]
    [InlineData("unproven-erasure")]
    [InlineData("tombstone-let-in")]
    [InlineData("duplicate-install")]
    [InlineData("lying-settings")]
    public async Task Demo_WithABrokenStep_NamesItAndFails(string step)
    {
        var folder = DemoProgram.NewFolder();
        await using var demo = DemoProgram.Start("--devices", "6", "--json", "--data", folder, "--break", step);

        var result = await demo.EndAsync(Cancel);

        Assert.True(result.Code == 1, result.Progress);
        Assert.True(result.Count("violations") > 0, result.Progress);
        Assert.Equal([step], result.FailedChecks);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Demo_WithoutABrokenStep_HasNoViolation()
    {
        var folder = DemoProgram.NewFolder();
        await using var demo = DemoProgram.Start("--devices", "6", "--json", "--data", folder);

        var result = await demo.EndAsync(Cancel);

        Assert.True(result.Code == 0, result.Progress);
        Assert.Equal(0, result.Count("violations"));
        Assert.Empty(result.FailedChecks);
        Directory.Delete(folder, recursive: true);
    }
}
