using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Inventory;

public sealed class InventoryFilterTests
{
    private static readonly DeviceRow Row = new()
    {
        Tenant = TenantId.Default,
        Name = "B8A44F000001",
        State = DeviceState.InService,
        Model = "P3265-V",
        Site = "Lund, \"north\"",
        Track = "12.11",
        OsVersion = "12.11.77",
        ImageDigest = "",
        BootId = "b1",
        Compliance = ComplianceState.NonCompliant,
        Generation = 3,
        Rollout = "",
        StateChangedAt = DateTimeOffset.UnixEpoch,
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("state=IN_SERVICE", true)]
    [InlineData("state = InService", true)]
    [InlineData("state=EXPECTED", false)]
    [InlineData("state != EXPECTED AND model=P3265-V", true)]
    [InlineData("model=p3265-v", false)]
    [InlineData("track = 12.11 AND os_version != 12.11.77", false)]
    [InlineData("""site = "Lund, \"north\"" """, true)]
    [InlineData("compliance=NON_COMPLIANT AND connected=true", true)]
    [InlineData("connected = false", false)]
    [InlineData("rollout = \"\"", true)]
    public void Matches_OfADevice_ComparesEveryTerm(string text, bool expected)
    {
        var (filter, error) = InventoryFilter.Parse(text, InventoryFields.Device);

        Assert.Null(error);
        Assert.Equal(expected, filter.Matches(Row, connected: true));
    }

    [Fact]
    public void Parse_OfAStateThatThereIsNot_NamesTheStates()
    {
        var (_, error) = InventoryFilter.Parse("state=FOO", InventoryFields.Device);

        Assert.Contains("IN_SERVICE", error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("colour=red", 1)]
    [InlineData("state", 6)]
    [InlineData("state=", 7)]
    [InlineData("model=A model=B", 9)]
    [InlineData("model=A AND", 12)]
    [InlineData("state=FOO", 7)]
    [InlineData("model=A AND compliance=SOMEWHAT", 24)]
    [InlineData("connected=maybe", 11)]
    [InlineData("site=\"Lund", 6)]
    [InlineData("site=AA OR model=B", 9)]
    public void Parse_OfWhatIsNotAFilter_NamesTheColumn(string text, int column)
    {
        var (_, error) = InventoryFilter.Parse(text, InventoryFields.Device);

        Assert.Equal("FILTER_INVALID", error?.Reason);
        Assert.Contains(error!.Metadata, detail => detail.Key == "column" && detail.Value == $"{column}");
    }

    [Fact]
    public void Parse_OfTooMuch_IsRefused()
    {
        var tooLong = new string('x', InventoryFilter.LengthMax + 1);
        var tooMany = string.Join(" AND ", Enumerable.Repeat("name=A", InventoryFilter.TermsMax + 1));

        Assert.NotNull(InventoryFilter.Parse(tooLong, InventoryFields.Device).Error);
        Assert.NotNull(InventoryFilter.Parse(tooMany, InventoryFields.Device).Error);
    }

    [Fact]
    public void Field_OfEveryDeviceField_HasAValue() =>
        Assert.All(InventoryFields.Device.Where(field => field.Name != "connected"), field => Assert.NotNull(Row.Field(field.Name)));
}
