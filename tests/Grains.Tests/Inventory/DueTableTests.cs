using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

public sealed class DueTableTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void DueBy_NamesTheEarliestFirstAndTheNextDate()
    {
        var table = new DueTable();
        table.Apply(Key("late"), 1, Noon.AddMinutes(5));
        table.Apply(Key("second"), 1, Noon);
        table.Apply(Key("first"), 1, Noon.AddMinutes(-1));

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
        var table = new DueTable();
        table.Apply(Key("A"), 1, Noon);
        table.Apply(Key("B"), 1, Noon);

        table.Apply(Key("A"), 2, Noon.AddDays(1));
        table.Apply(Key("B"), 2, null);

        Assert.Empty(table.DueBy(Noon, 10).Records);
        Assert.Equal([Key("A")], table.DueBy(Noon.AddDays(1), 10).Records);
    }

    [Fact]
    public void Apply_OfAnOlderOrEqualVersion_ChangesNothing()
    {
        var table = new DueTable();
        table.Apply(Key("A"), 2, Noon);

        table.Apply(Key("A"), 2, null);
        table.Apply(Key("A"), 1, null);

        Assert.Equal([Key("A")], table.DueBy(Noon, 10).Records);
    }

    private static RecordKey Key(string name) => new(GrainTypes.Warranty, $"default/{name}");
}
