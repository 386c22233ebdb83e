using Muster.Domain.Inventory;

namespace Muster.Domain.Tests.Inventory;

public sealed class InventoryOrderTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("model", 1)]
    [InlineData("model desc, labels.floor", 2)]
    [InlineData("model desc,settings.Network.SSH.Enabled,name", 3)]
    public void Parse_OfFields_TakesThemInOrder(string text, int keys)
    {
        var (order, error) = InventoryOrder.Parse(text, InventoryFields.Device);

        Assert.Null(error);
        Assert.Equal(keys, order.Keys.Length);
        Assert.Equal(text.Contains("desc", StringComparison.Ordinal), keys > 0 && order.Keys[0].IsDescending);
    }

    [Theory]
    [InlineData("colour", 1)]
    [InlineData("model descending", 7)]
    [InlineData("model,", 7)]
    [InlineData("labels", 1)]
    [InlineData("model,site,track,name", 18)]
    public void Parse_OfWhatIsNoOrder_NamesTheColumn(string text, int column)
    {
        var (_, error) = InventoryOrder.Parse(text, InventoryFields.Device);

        Assert.Equal("ORDER_INVALID", error?.Reason);
        Assert.Equal($"{column}", Assert.Single(error!.Metadata, detail => detail.Key == "column").Value);
    }

    [Fact]
    public void Compare_OfVersions_IsNumberByNumberThenByName()
    {
        var (order, _) = InventoryOrder.Parse("os_version desc", InventoryFields.Device);

        Assert.True(order.Compare([FieldValue.Of("12.11.77")], "A", [FieldValue.Of("12.9.80")], "B") < 0);
        Assert.True(order.Compare([FieldValue.Of("12.11")], "A", [FieldValue.Of("12.11.0")], "B") < 0);
        Assert.True(order.Compare([FieldValue.None], "A", [FieldValue.Of("1")], "B") > 0);
    }

    [Fact]
    public void GroupingParse_OfAnInstantWithItsUnit_GroupsByIt()
    {
        var (grouping, error) = InventoryGrouping.Parse("created_at_month, state", InventoryFields.Device);

        Assert.Null(error);
        Assert.Equal("2026-11", grouping.Keys[0].Show(FieldValue.Of(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero))));
        Assert.Equal("IN_SERVICE", grouping.Keys[1].Show(FieldValue.Of(3L)));
    }

    [Theory]
    [InlineData("created_at", 1)]
    [InlineData("state,colour", 7)]
    [InlineData("state desc", 7)]
    public void GroupingParse_OfWhatIsNoGrouping_NamesTheColumn(string text, int column)
    {
        var (_, error) = InventoryGrouping.Parse(text, InventoryFields.Device);

        Assert.Equal("GROUPING_INVALID", error?.Reason);
        Assert.Equal($"{column}", Assert.Single(error!.Metadata, detail => detail.Key == "column").Value);
    }
}
