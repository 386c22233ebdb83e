using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

public sealed class RowTableTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Apply_OfAnOlderOrEqualVersion_ChangesNothing()
    {
        var table = new RowTable();
        Assert.NotNull(table.Apply(Key("A"), 2, Row("A")));

        Assert.Null(table.Apply(Key("A"), 2, Row("A")));
        Assert.Null(table.Apply(Key("A"), 1, Row("A")));
    }

    [Fact]
    public void List_AfterAName_GoesOnInOrderWithoutIt()
    {
        var table = new RowTable();
        foreach (var name in new[] { "C", "A", "D", "B" })
        {
            table.Apply(Key(name), 1, Row(name));
        }

        Assert.Equal(["A", "B", "C", "D"], Names(table, Query("")));
        Assert.Equal(["C", "D"], Names(table, Query("B")));
        Assert.Equal(["C", "D"], Names(table, Query("BB")));
        Assert.Empty(Names(table, Query("D")));
    }

    [Fact]
    public void List_InDescendingOrder_GoesOnBehindThePlace()
    {
        var table = new RowTable();
        foreach (var name in new[] { "C", "A", "D", "B" })
        {
            table.Apply(Key(name), 1, Row(name));
        }

        var first = Query("") with { OrderBy = "name desc", RowsMax = 2 };
        var second = first with { After = "C", AfterKeys = [FieldValue.Of("C")] };

        Assert.Equal(["D", "C"], Names(table, first));
        Assert.Equal(["B", "A"], Names(table, second));
    }

    private static RecordKey Key(string name) => new(GrainTypes.Operator, $"default/{name}");

    private static RowQuery Query(string after) => new(TenantId.Default, GrainTypes.Operator, "", after, 10);

    private static OperatorRow Row(string name) => new()
    {
        Tenant = TenantId.Default, Name = name, Roles = [], CertificateSha256 = "", Enabled = true,
    };

    private static string[] Names(RowTable table, RowQuery query) =>
        [.. table.List(query, InventoryFilter.All, query.ReadOrder().Order, Noon).Rows.Select(row => row.Row.Name)];
}
