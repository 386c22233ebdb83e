using CsCheck;
using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

public sealed class SettingSetTests
{
    [Fact]
    public void Of_AnySettings_GivesThemBackInTheirOrder() => Gen.Select(Gen.String[1, 30], Gen.String[0, 300]).Array[0, 80].Sample(pairs =>
    {
        // What is not valid UTF-16 does not come over the wire: protobuf refuses it.
        DeviceSetting[] settings = [.. pairs.Where(IsText).Select(pair => new DeviceSetting(pair.Item1, pair.Item2))];

        var set = SettingSet.Of(settings);

        Assert.Equal(settings, set);
        Assert.All(settings, setting => Assert.Equal(settings.First(one => one.Name == setting.Name).Value, set.Find(setting.Name)));
        Assert.Equal(settings.Length == 0, set.IsEmpty);
    });

    [Fact]
    public void Equals_OfTheSameSettings_IsTrueAndOfAnotherOrderFalse()
    {
        SettingSet set = [new DeviceSetting("a", "1"), new DeviceSetting("b", "2")];

        Assert.Equal(set, [new DeviceSetting("a", "1"), new DeviceSetting("b", "2")]);
        Assert.NotEqual(set, [new DeviceSetting("b", "2"), new DeviceSetting("a", "1")]);
        Assert.Null(set.Find("c"));
    }

    private static bool IsText((string, string) pair) => !(pair.Item1 + pair.Item2).Any(char.IsSurrogate);
}
