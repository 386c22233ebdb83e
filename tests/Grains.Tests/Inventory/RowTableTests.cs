using Muster.Contracts;
using Muster.Contracts.Commit;
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
        Assert.NotNull(table.Apply(Key("A"), 2, Row("A"), Noon));

        Assert.Null(table.Apply(Key("A"), 2, Row("A"), null));
        Assert.Null(table.Apply(Key("A"), 1, Row("A"), null));

        Assert.Equal(Key("A"), Assert.Single(table.DueBy(Noon, 10).Records));
    }

    [Fact]
    public void After_AName_GoesOnInOrderWithoutIt()
    {
        var table = new RowTable();
        foreach (var name in new[] { "C", "A", "D", "B" })
        {
            table.Apply(Key(name), 1, Row(name), null);
        }

        Assert.Equal(["A", "B", "C", "D"], Names(table, ""));
        Assert.Equal(["C", "D"], Names(table, "B"));
        Assert.Equal(["C", "D"], Names(table, "BB"));
        Assert.Empty(Names(table, "D"));
    }

    [Fact]
    public void DueBy_NamesTheEarliestFirstAndTheNextDate()
    {
        var table = new RowTable();
        table.Apply(Key("late"), 1, null, Noon.AddMinutes(5));
        table.Apply(Key("second"), 1, null, Noon);
        table.Apply(Key("first"), 1, null, Noon.AddMinutes(-1));

        var due = table.DueBy(Noon, 10);
        var one = table.DueBy(Noon, 1);

        Assert.Equal([Key("first"), Key("second")], due.Records);
        Assert.Equal(Noon.AddMinutes(5), due.NextAt);
        Assert.Equal([Key("first")], one.Records);
        Assert.Equal(Noon, one.NextAt);
    }

    [Fact]
    public void Apply_OfANewerVersion_MovesOrEndsTheDate()
    {
        var table = new RowTable();
        table.Apply(Key("A"), 1, null, Noon);
        table.Apply(Key("B"), 1, null, Noon);

        table.Apply(Key("A"), 2, null, Noon.AddDays(1));
        table.Apply(Key("B"), 2, null, null);

        Assert.Empty(table.DueBy(Noon, 10).Records);
        Assert.Equal([Key("A")], table.DueBy(Noon.AddDays(1), 10).Records);
    }

    private static RecordKey Key(string name) => new(GrainTypes.Operator, $"default/{name}");

    private static OperatorRow Row(string name) => new()
    {
        Tenant = TenantId.Default, Name = name, Roles = [], CertificateSha256 = "", Enabled = true,
    };

    private static string[] Names(RowTable table, string after) =>
        [.. table.After(TenantId.Default, GrainTypes.Operator, after).Select(row => row.Row.Name)];
}
