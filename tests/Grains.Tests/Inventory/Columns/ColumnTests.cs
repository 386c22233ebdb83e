using System.Text;
using CsCheck;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Tests.Inventory.Columns;

/// <summary>A column says what an array of the same values says, whatever form it has taken.</summary>
public sealed class ColumnTests
{
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Int[0, 5].Select(value => $"v{value}"),
        Gen.Int[0, 3_000].Select(value => $"longer value {value}"),
        Gen.String[Gen.Char["abcdef0123456789"], 0, 200],
        Gen.String[0, 40],
        Gen.Const(""));

    private static readonly Gen<long> Number = Gen.OneOf(
        Gen.Long[0, 300], Gen.Long, Gen.Const(FieldValue.NoNumber), Gen.Const((long)int.MinValue), Gen.Const(255L));

    [Fact]
    public void TextColumn_OfAnyValues_KeepsThem() => Gen.Select(Gen.Int[0, 400], Text).Array[0, 1_500].Sample(sets =>
    {
        TextColumn[] columns = [new(new ValuePool()), new(new ValuePool()), new(new ValuePool(), isOwn: true)];
        var expected = new Dictionary<int, string>();
        foreach (var (row, value) in sets)
        {
            columns[0].Set(row, value);
            columns[1].Set(row, Encoding.UTF8.GetBytes(value));
            columns[2].Set(row, value);
            expected[row] = value;
        }

        Span<char> room = stackalloc char[16];
        for (var row = 0; row < 420; row++)
        {
            var value = expected.GetValueOrDefault(row, "");
            foreach (var column in columns)
            {
                Assert.Equal(value, column.Get(row));
                Assert.Equal(value, column.Read(row, room).ToString());
            }
        }
    }, iter: 300);

    [Theory]
    [InlineData(60, 1, false)]
    [InlineData(200, 1, true)]
    [InlineData(5_000, 1, true)]
    [InlineData(200, 2, false)]
    [InlineData(5_000, 2, false)]
    public void TextColumn_OfDifferentValues_IsPackedOnlyWhenMostRowsDiffer(int rows, int rowsPerValue, bool isPacked)
    {
        var column = new TextColumn(new ValuePool());
        for (var row = 0; row < rows; row++)
        {
            column.Set(row, $"value {row / rowsPerValue}");
        }

        Assert.Equal(isPacked, column.IsPacked);
    }

    [Fact]
    public void TextColumn_OfBytes_SharesTheTextOfRowsThatAreAlike()
    {
        var pool = new ValuePool();
        var (column, other) = (new TextColumn(pool), new TextColumn(pool));
        for (var row = 0; row < 200; row++)
        {
            column.Set(row, Encoding.UTF8.GetBytes($"Größe {row % 40}"));
            other.Set(row, $"Größe {row % 40}");
        }

        Assert.Equal(41, column.Values.Count);
        Assert.Same(other.Get(39), column.Get(199));
    }

    [Fact]
    public void TextColumn_OfOneRowThatChangesOften_ForgetsWhatNoRowHas()
    {
        var column = new TextColumn(new ValuePool());
        column.Set(1, "stays");
        for (var i = 0; i < 10_000; i++)
        {
            column.Set(0, $"boot {i}");
        }

        Assert.False(column.IsPacked);
        Assert.InRange(column.Values.Count, 1, 256);
        Assert.Equal(("boot 9999", "stays"), (column.Get(0), column.Get(1)));
    }

    [Fact]
    public void PackedText_OfRowsThatChangeOften_KeepsTheirLastValues()
    {
        var packed = new PackedText();
        for (var i = 0; i < 20_000; i++)
        {
            packed.Set(i % 10, new string((char)('a' + (i % 26)), i % 97));
        }

        for (var i = 19_990; i < 20_000; i++)
        {
            Assert.Equal(new string((char)('a' + (i % 26)), i % 97), packed.Get(i % 10));
        }
    }

    [Fact]
    public void NumberColumn_OfAnyValues_KeepsThem() => Gen.Select(Gen.Int[0, 50], Number).Array[0, 200].Sample(sets =>
    {
        var column = new NumberColumn();
        var expected = new Dictionary<int, long>();
        foreach (var (row, value) in sets)
        {
            column.Set(row, value);
            expected[row] = value;
        }

        for (var row = 0; row < 60; row++)
        {
            Assert.Equal(expected.GetValueOrDefault(row, FieldValue.NoNumber), column.Get(row));
        }
    });

    [Fact]
    public void NameIndex_OfManyNames_FindsEachAndNoOther()
    {
        var names = new TextColumn(new ValuePool());
        var index = new NameIndex(names);
        for (var row = 0; row < 3_000; row++)
        {
            names.Set(row, $"B8A44F{row:X6}");
            index.Add(row);
        }

        Assert.All(Enumerable.Range(0, 3_000), row => Assert.Equal(row, index.Find($"B8A44F{row:X6}")));
        Assert.Equal(-1, index.Find("B8A44F"));
    }
}
