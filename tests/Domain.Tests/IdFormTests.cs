using Muster.Domain.Devices;

namespace Muster.Domain.Tests;

/// <summary>An id is a key of the store, a part of topics and of the names of requests: what looks like another one is none.</summary>
public sealed class IdFormTests
{
    [Theory]
    [InlineData("default", true)]
    [InlineData("a", true)]
    [InlineData("nordic-1", true)]
    [InlineData("default\n", false)]
    [InlineData("\ndefault", false)]
    [InlineData("default\0", false)]
    [InlineData("Default", false)]
    [InlineData("1a", false)]
    [InlineData("a-", false)]
    [InlineData("a/b", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void TryParse_OfATenantOrAResource_TakesALabelAndNothingElse(string? text, bool isOne)
    {
        Assert.Equal(isOne, TenantId.TryParse(text, out _));
        Assert.Equal(isOne, ResourceId.TryParse(text, out _));
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void TryParse_OfALongName_TakesSixtyThreeCharacters(int length, bool isOne)
    {
        var text = new string('a', length);

        Assert.Equal(isOne, TenantId.TryParse(text, out _));
        Assert.Equal(isOne, ResourceId.TryParse(text, out _));
    }

    [Theory]
    [InlineData("ACCC8E012345", true)]
    [InlineData("ACCC8E012345\n", false)]
    [InlineData("ACCC8E/012345", false)]
    [InlineData("", false)]
    public void TryParse_OfADevice_TakesNoEndOfLine(string text, bool isOne) => Assert.Equal(isOne, DeviceId.TryParse(text, out _));
}
