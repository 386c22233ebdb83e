using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What a dry run says of members that have to run another version first; the image's is 12.1.0, for one model.</summary>
public sealed class RolloutStepsTests : IClassFixture<RolloutSilo>
{
    private readonly RolloutSilo _silo;

    public RolloutStepsTests(RolloutSilo silo)
    {
        _silo = silo;
        _silo.Fleet.Conditions = new ImageConditions { MinFromVersion = "8.40", Steps = ["10.12.0", "11.11.73"] };
    }

    [Fact]
    public async Task CreateAsync_ValidateOnly_SaysWhoIsBelowWhichStep()
    {
        var devices = _silo.Fleet.Add("steps", 7);
        foreach (var (device, version) in devices.Zip(["8.0", "9.80", "10.12.0", "11.0", "11.11.73", "12.0.0"]))
        {
            _silo.Fleet.Runs(device, version);
        }

        _silo.Fleet.Describe(devices[6], "Q1656");
        _silo.Fleet.Runs(devices[6], "9.80");
        var (last, other) = (PartitionMap.CountMin - 1, _silo.Fleet.AddImage(0, "10.12.0", "Q1656"));
        _silo.Fleet.AddImage(1, "10.12.0", "P3265-V", ImageState.Revoked);
        _silo.Fleet.AddImage(1, "11.11.74", "P3265-V");
        var step = _silo.Fleet.AddImage(last, "11.11.73.0", "P3265-V");

        var planned = await PreviewAsync("steps");

        Assert.Null(planned.Error);
        Assert.Equal(7, planned.Matching);
        Assert.Equal(
            (1, 3, 1, 0),
            (planned.ExpectedSkips!.Of(MemberReason.OsBelowMinimum), planned.ExpectedSkips.Of(MemberReason.StepRequired),
                planned.ExpectedSkips.Of(MemberReason.ModelNotCompatible), planned.ExpectedSkips.Of(MemberReason.TrackMismatch)));
        Assert.Equal([new RequiredStep("10.12.0", 1, []), new RequiredStep("11.11.73", 3, [step])], planned.Steps);
        Assert.DoesNotContain(other, planned.Steps.SelectMany(one => one.Images));
    }

    /// <summary>
    /// A page of images that serve no model of the target comes first; of those behind it a step has one more than it names, another one.
    /// </summary>
    [Fact]
    public async Task CreateAsync_ValidateOnlyWithMoreImagesThanAPage_NamesThoseOfTheSecond()
    {
        _silo.Fleet.Conditions = new ImageConditions { Steps = ["9.10.0", "9.20.0"] };
        _silo.Fleet.Runs(Assert.Single(_silo.Fleet.Add("pages", 1)), "9.5.0");
        for (var i = 0; i < RowQuery.RowsLimit; i++)
        {
            _silo.Fleet.AddImage(i % PartitionMap.CountMin, i % 2 == 0 ? "9.10.0" : "9.20.0", "Q1656");
        }

        string[] serving =
        [
            .. Enumerable.Range(0, RequiredStep.ImagesMax + 1)
                .Select(i => _silo.Fleet.AddImage((RequiredStep.ImagesMax - i) % PartitionMap.CountMin, "9.10.0", "P3265-V")),
        ];
        var other = _silo.Fleet.AddImage(0, "9.20.0", "P3265-V");

        var planned = await PreviewAsync("pages");

        Assert.Equal(
            [new RequiredStep("9.10.0", 1, [.. serving.Take(RequiredStep.ImagesMax)]), new RequiredStep("9.20.0", 1, [other])],
            planned.Steps);
    }

    [Fact]
    public async Task CreateAsync_ValidateOnlyWhenAllHavePassedTheSteps_NamesNone()
    {
        _silo.Fleet.Add("passed", 3);

        var planned = await PreviewAsync("passed");

        Assert.Equal(3, planned.Matching);
        Assert.Equal(new SkipTotals([.. new int[MemberReasons.Count]]), planned.ExpectedSkips);
        Assert.Empty(planned.Steps);
    }

    [Fact]
    public async Task CreateAsync_ValidateOnlyOfARetry_CountsTheRestAlone()
    {
        var devices = _silo.Fleet.Add("rest", 3);
        _silo.Fleet.Runs(devices[0], "11.0");
        _silo.Fleet.Unfit[devices[0]] = "STEP_REQUIRED";
        var first = await _silo.CreateAsync("rest", spec => spec with { Filter = "site = rest AND os_version < 12.1" });
        await first.StartAsync(RolloutSilo.Order);
        await _silo.UntilAsync("rest", now => now.Plan.IsTerminal, () => _silo.Fleet.End("rest", ChangeOutcome.Succeeded));
        var spec = (await first.GetAsync()).Rollout!.Spec with { RetryOf = RolloutSilo.IdOf("rest") };

        // Who succeeded runs an old version again: nobody asks.
        _silo.Fleet.Runs(devices[1], "11.0");
        var planned = await _silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf("rest-dry")).CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true));

        Assert.Null(planned.Error);
        Assert.Equal((1, 1), (planned.Matching, planned.ExpectedSkips!.Of(MemberReason.StepRequired)));
        Assert.Equal([("11.11.73", 1)], planned.Steps.Select(step => (step.Version, step.Devices)));
    }

    private async Task<RolloutReply> PreviewAsync(string site)
    {
        var spec = (await (await _silo.CreateAsync(site)).GetAsync()).Rollout!.Spec;
        return await _silo.Grains.GetRollout(TenantId.Default, RolloutSilo.IdOf($"{site}-dry")).CreateAsync(
            new CreateRollout(RolloutSilo.Anna, "", spec, ValidateOnly: true));
    }
}
