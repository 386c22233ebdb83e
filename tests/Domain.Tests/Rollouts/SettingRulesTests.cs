using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class SettingRulesTests
{
    private static readonly RolloutSpec OfSettings = Spec(Wave(Amount.Percent(100))) with
    {
        ImageDigest = "",
        TargetVersion = "",
        Settings = [new DeviceSetting("root.Network.SSH.Enabled", "no")],
    };

    [Fact]
    public void Validate_OfSettingsAlone_FindsNothing() => Assert.Empty(RolloutSpecRules.Validate(OfSettings));

    [Fact]
    public void Validate_OfBothOrNeither_NamesWhatIsWrong()
    {
        var both = OfSettings with { ImageDigest = new string('a', 64), AllowTrackChange = true };
        var neither = OfSettings with { Settings = null };
        var empty = OfSettings with { Settings = SettingSet.Empty };

        Assert.Equal(["settings", "allow_track_change"], FieldsOf(both));
        Assert.Equal(["image_digest", "target_version"], FieldsOf(neither));
        Assert.Equal(["settings"], FieldsOf(empty));
    }

    [Fact]
    public void Validate_OfSettingsThatAGateRollsBack_Refuses() => Assert.Equal(
        ["failure_gate.action"],
        FieldsOf(OfSettings with { FailureGate = new FailureGate(1, null, 1) { Action = FailureAction.RollBack } }));

    [Fact]
    public void RollBack_OfSettings_IsRefusedAndChangesNothing()
    {
        var rollout = RolloutOf(OfSettings, Started(OfSettings, 10));

        var refused = RollBackOrders.RollBack(rollout, 0, [], Order());

        Assert.Equal("SETTINGS_NOT_ROLLED_BACK", refused.Error?.Reason);
        Assert.Same(rollout.Plan, refused.Next);
    }

    [Fact]
    public void Validate_OfBadSettings_FindsEveryProblemAtOnce()
    {
        var fields = SettingRules.Validate(
        [
            new DeviceSetting("", "a"),
            new DeviceSetting(new string('n', SettingRules.NameCharactersMax), new string('v', SettingRules.ValueCharactersMax)),
            new DeviceSetting(new string('n', SettingRules.NameCharactersMax + 1), "a"),
            new DeviceSetting("a\nb", "a"),
            new DeviceSetting("once", ""),
            new DeviceSetting("once", "a"),
            new DeviceSetting("value", new string('v', SettingRules.ValueCharactersMax + 1)),
            new DeviceSetting("control", "\u001b[2J"),
        ]).Select(problem => problem.Field);

        Assert.Equal(
            ["settings[0].name", "settings[2].name", "settings[3].name", "settings[5].name", "settings[6].value", "settings[7].value"],
            fields);
    }

    [Theory]
    [InlineData(SettingRules.SettingsMax, 1, null)]
    [InlineData(SettingRules.SettingsMax + 1, 1, "settings")]
    [InlineData(4, 1_000, null)]
    [InlineData(5, 1_000, "settings")]
    public void Validate_OfTooManyOrTooMuch_Refuses(int count, int characters, string? field) => Assert.Equal(
        field,
        SettingRules
            .Validate([.. Enumerable.Range(0, count).Select(i => new DeviceSetting($"name-{i}", new string('v', characters)))])
            .Select(problem => problem.Field)
            .SingleOrDefault());

    [Fact]
    public void Order_OfTheSameSettings_IsTheSameSpec()
    {
        DeviceSetting[] settings = [new("b", "2"), new("a", "1")];

        var one = OfSettings with { Settings = SettingRules.Order(settings) };
        var other = OfSettings with { Settings = SettingRules.Order(settings.Reverse()) };

        Assert.Equal(one, other);
        Assert.Equal(one.Fingerprint, other.Fingerprint);
    }

    private static IEnumerable<string> FieldsOf(RolloutSpec spec) =>
        RolloutSpecRules.Validate(spec).Select(problem => problem.Field);
}
