using System.Collections.Immutable;
using System.Reflection;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Whatever a spec orders is part of what approvals are bound to, also a field that is added later.</summary>
public sealed class SpecFingerprintTests
{
    private static readonly WaveSpec Canaries = Wave(Amount.Count(5)) with { Filter = "site = Lund", StratifyBy = ["model"] };

    private static readonly RolloutSpec Full = Spec(Canaries, Wave(Amount.Percent(100))) with
    {
        Filter = "site = Lund",
        FailureGate = new FailureGate(3, 10, 1),
        DevicesPerMinute = 50,
        RateGrowth = new RateGrowth(20, RateStep.Offered, 1_000, 400),
        MaxUnavailable = Amount.Count(20),
        Retries = new RetryPolicy(3, TimeSpan.FromMinutes(5), TimeSpan.FromHours(4)),
        Windows = [new OfferWindow("0 22 * * *", TimeSpan.FromHours(6), "Europe/Stockholm")],
        InstallWindows = [new OfferWindow("0 23 * * *", TimeSpan.FromHours(4), "Europe/Stockholm")],
        Settings = [new DeviceSetting("root.Network.SSH.Enabled", "no")],
        Strategy = new RolloutStrategy(Id, 3, 7),
        RetryOf = Id,
        IncludeLateJoiners = true,
        MaxUnavailablePer = [new ValueBudget("site", Amount.Percent(10))],
        TakeSteps = true,
        Path =
        [
            new StepImage(new string('7', 64), "11.11", "active", ["P3265-V"], new ImageConditions
            {
                MinFromVersion = "10.0", Steps = ["10.12"], SecurityFloor = "10.1",
            }),
        ],
    };

    public static TheoryData<string> Fields() => new(Changes(Full, typeof(RolloutSpec), "").Select(change => change.Path));

    [Theory]
    [MemberData(nameof(Fields))]
    public void Fingerprint_OfAnyChangedField_IsAnother(string field)
    {
        var changed = (RolloutSpec)Changes(Full, typeof(RolloutSpec), "").Single(change => change.Path == field).Changed;

        Assert.NotEqual(Full.Fingerprint, changed.Fingerprint);
        Assert.False(Full.Equals(changed)); // the same fields tell a repeated request from another one
    }

    [Fact]
    public void Fingerprint_OfTheSameOrders_IsTheSame()
    {
        var again = Full with { Waves = [.. Full.Waves], Windows = [.. Full.Windows], FailureGate = Full.FailureGate with { } };

        Assert.Equal(Full.Fingerprint, again.Fingerprint);
        Assert.Matches("^[0-9a-f]{64}$", again.Fingerprint);
    }

    [Fact]
    public void Fingerprint_OfAnImage_IsTheSameAsBeforeThereWereSettings() => Assert.Equal(
        "a9bec012603319474b98b789dad2421b35fef547f535d90dca40217329aeaa81",
        Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100))).Fingerprint);

    [Fact]
    public void Fingerprint_OfTheSameStrataInAnotherWave_IsAnother()
    {
        var (plain, first, second) = (Wave(Amount.Count(5)), Canaries with { Filter = null }, Canaries with { StratifyBy = [] });

        Assert.NotEqual(Spec(first, plain).Fingerprint, Spec(plain, first).Fingerprint);
        Assert.NotEqual(Spec(second, plain).Fingerprint, Spec(plain, second).Fingerprint);
        Assert.Equal(Spec(first, second).Fingerprint, Spec(first with { StratifyBy = ["model"] }, second).Fingerprint);
    }

    [Fact]
    public void Fingerprint_OfFieldsThatRunTogether_IsAnother()
    {
        Assert.NotEqual(OfSettings("a", "1:b").Fingerprint, OfSettings("a1:", "b").Fingerprint);

        var one = Full with { TargetVersion = "12", Filter = "1:1;" };
        var other = Full with { TargetVersion = "12;4:1:1;", Filter = "" };

        Assert.NotEqual(one.Fingerprint, other.Fingerprint);
    }

    private static RolloutSpec OfSettings(string name, string value) => Full with { Settings = [new DeviceSetting(name, value)] };

    /// <summary>The value with each field changed in turn, whatever it consists of.</summary>
    private static IEnumerable<(string Path, object Changed)> Changes(object value, Type type, string path)
    {
        foreach (var property in type.GetProperties().Where(property => property.SetMethod is not null))
        {
            foreach (var (under, changed) in Values(property.GetValue(value), property.PropertyType, $"{path}{property.Name}"))
            {
                yield return (under, With(value, property, changed));
            }
        }
    }

    private static IEnumerable<(string Path, object Changed)> Values(object? value, Type type, string path) => value switch
    {
        null => throw new NotSupportedException($"{path} is not set: give the full spec of this test a value for it."),
        string text => [(path, text + "x")],
        bool flag => [(path, !flag)],
        ResourceId id => [(path, ResourceId.TryParse(id.Value + "x", out var other) ? other : throw new FormatException(path))],
        int number => [(path, number + 1)],
        long number => [(path, number + 1)],
        TimeSpan span => [(path, span + TimeSpan.FromTicks(1))],
        Enum choice => [(path, Enum.ToObject(choice.GetType(), Convert.ToInt32(choice, null) + 1))],
        ImmutableArray<string> names => [($"{path}", names.SetItem(0, names[0] + "x")), ($"{path}.count", names.Add(names[0]))],
        ImmutableArray<WaveSpec> waves => Changes(waves[0], typeof(WaveSpec), $"{path}.")
            .Select(change => (change.Path, (object)waves.SetItem(0, (WaveSpec)change.Changed)))
            .Append(($"{path}.count", (object)waves.Add(waves[0]))),
        ImmutableArray<OfferWindow> windows => Changes(windows[0], typeof(OfferWindow), $"{path}.")
            .Select(change => (change.Path, (object)windows.SetItem(0, (OfferWindow)change.Changed)))
            .Append(($"{path}.count", (object)windows.Add(windows[0]))),
        ImmutableArray<ValueBudget> budgets => Changes(budgets[0], typeof(ValueBudget), $"{path}.")
            .Select(change => (change.Path, (object)budgets.SetItem(0, (ValueBudget)change.Changed)))
            .Append(($"{path}.count", (object)budgets.Add(budgets[0]))),
        ImmutableArray<StepImage> images => Changes(images[0], typeof(StepImage), $"{path}.")
            .Select(change => (change.Path, (object)images.SetItem(0, (StepImage)change.Changed)))
            .Append(($"{path}.count", (object)images.Add(images[0]))),
        ImageConditions conditions => Changes(conditions, typeof(ImageConditions), $"{path}."),
        SettingSet settings => settings
            .Select(setting => ($"{path}.{setting.Name}", (object)SettingSet.Of([setting with { Value = setting.Value + "x" }])))
            .Append(($"{path}.name", SettingSet.Of([.. settings.Select(setting => setting with { Name = setting.Name + "x" })])))
            .Append(($"{path}.count", SettingSet.Of([.. settings, new DeviceSetting("another", "")]))),
        _ when type.Namespace == typeof(RolloutSpec).Namespace || type == typeof(ResourceId)
            || Nullable.GetUnderlyingType(type) is not null =>
            Changes(value, value.GetType(), $"{path}."),
        _ => throw new NotSupportedException($"{path} is a {type}: teach this test, and the fingerprint, what it consists of."),
    };

    private static object With(object value, PropertyInfo property, object changed)
    {
        var copy = typeof(object).GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!.Invoke(value, null)!;
        property.SetValue(copy, changed);
        return copy;
    }
}
