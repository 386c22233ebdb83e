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

    [Theory]
    [InlineData(new[] { "a", "1" }, true)]
    [InlineData(new[] { "c", "3", "a", "1" }, true)]
    [InlineData(new[] { "a", "2" }, false)]
    [InlineData(new[] { "A", "1" }, false)]
    [InlineData(new[] { "a", "1", "d", "" }, false)]
    [InlineData(new string[0], true)]
    public void ContainsAll_WhateverTheirOrder_ComparesNamesAndValues(string[] others, bool isThere)
    {
        SettingSet set = [new DeviceSetting("a", "1"), new DeviceSetting("b", "2"), new DeviceSetting("c", "3")];

        SettingSet wanted = [.. others.Chunk(2).Select(pair => new DeviceSetting(pair[0], pair[1]))];

        Assert.Equal(isThere, set.ContainsAll(wanted));
        Assert.Equal(isThere, set.With(set.ToNames()).ContainsAll(wanted));
    }

    [Fact]
    public void With_NamesOfAnEqualSet_SaysTheSame() => Gen.Select(Gen.String[0, 30], Gen.String[0, 300]).Array[0, 80].Sample(pairs =>
    {
        DeviceSetting[] settings = [.. pairs.Where(IsText).Select(pair => new DeviceSetting(pair.Item1, pair.Item2))];
        var (set, names) = (SettingSet.Of(settings), SettingSet.Of(settings).ToNames());

        var shared = set.With(names);

        Assert.Equal(settings, shared);
        Assert.True(shared.Equals(set) && set.Equals(shared));
        Assert.Equal(set.GetHashCode(), shared.GetHashCode());
        Assert.Equal(set.Packed, shared.Packed);
        Assert.All(settings, setting => Assert.Equal(set.Find(setting.Name), shared.Find(setting.Name)));
        Assert.True(settings.Length == 0 || ReferenceEquals(names, shared.ToNames()));
        Assert.Same(shared, shared.With(names));
    });

    [Fact]
    public void With_NamesOfOtherSettings_IsRefused()
    {
        SettingSet set = [new DeviceSetting("a", "1")];

        Assert.Throws<ArgumentException>(() => set.With(SettingSet.Of([new DeviceSetting("b", "1")]).ToNames()));
    }

    /// <summary>The form of the record's cold part in every store: final.</summary>
    [Fact]
    public void Packed_OfAnySet_IsTheStoredForm()
    {
        var set = SettingSet.Of([new DeviceSetting("ssh", "no"), new DeviceSetting("é", "")]);

        Assert.Equal("000300027373686E6F00020000C3A9", Convert.ToHexString(set.Packed));
        Assert.Equal("000300027373686E6F00020000C3A9", Convert.ToHexString(set.With(set.ToNames()).Packed));
    }

    private static bool IsText((string, string) pair) => !(pair.Item1 + pair.Item2).Any(char.IsSurrogate);
}
