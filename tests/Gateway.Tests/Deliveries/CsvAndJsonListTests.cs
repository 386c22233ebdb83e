using System.Text;
using Google.Rpc;
using Grpc.Core;
using Muster.Domain.Deliveries;
using Muster.Gateway.Deliveries;

namespace Muster.Gateway.Tests.Deliveries;

/// <summary>What is read of a list, however its bytes come.</summary>
internal static class Lists
{
    public static async Task<List<ListedLine>> ReadAsync(
        bool isCsv, byte[] bytes, int chunk = int.MaxValue, DeliveryLine? defaults = null)
    {
        var at = 0;
        ValueTask<ReadOnlyMemory<byte>> NextAsync(CancellationToken cancellationToken)
        {
            var next = bytes.AsMemory(at, Math.Min(chunk, bytes.Length - at));
            at += next.Length;
            return ValueTask.FromResult<ReadOnlyMemory<byte>>(next);
        }

        var values = defaults ?? DeliveryLine.Empty;
        var stop = TestContext.Current.CancellationToken;
        var lines = isCsv ? new CsvList(NextAsync, values).ReadAsync(stop) : new JsonList(NextAsync, values).ReadAsync(stop);
        var read = new List<ListedLine>();
        await foreach (var line in lines)
        {
            read.Add(line);
        }

        return read;
    }

    /// <summary>The lines with serial, model and site, or with what is wrong.</summary>
    public static string[] Show(IEnumerable<ListedLine> lines) =>
    [
        .. lines.Select(line => line.Problems.IsEmpty
            ? $"{line.Line} {line.Values[DeliveryColumn.Serial]}|{line.Values[DeliveryColumn.Model]}|{line.Values[DeliveryColumn.Site]}"
            : $"{line.Line} ! {string.Join(", ", line.Problems.Select(problem => problem.Field))}"),
    ];

    public static async Task<string> RefusedAsync(bool isCsv, string text)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => ReadAsync(isCsv, Encoding.UTF8.GetBytes(text)));
        var details = refusal.GetRpcStatus()?.GetDetail<ErrorInfo>();
        Assert.Equal("DELIVERY_LIST_INVALID", details?.Reason);
        return $"{details?.Metadata["line"]}: {details?.Metadata["cause"]}";
    }
}

public sealed class CsvListTests
{
    public static TheoryData<int> Chunks => [1, 2, 3, 7, 4096, int.MaxValue];

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_OfQuotedFieldsAndBom_IsRead(int chunk)
    {
        const string Text = "\uFEFFSerial, model ,site\r\n"
            + "A1,P3265-V,\"Lund, hall 2\"\r\n"
            + "\r\n"
            + "A2,\"the \"\"new\"\" one\",  Malmö  \n"
            + "\"A3\",P3265-V,";

        var lines = await Lists.ReadAsync(isCsv: true, Encoding.UTF8.GetBytes(Text), chunk);

        Assert.Equal(
            ["2 A1|P3265-V|Lund, hall 2", "4 A2|the \"new\" one|Malmö", "5 A3|P3265-V|"], Lists.Show(lines));
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_WithSemicolons_IsRead(int chunk)
    {
        var lines = await Lists.ReadAsync(isCsv: true, Encoding.UTF8.GetBytes("serial;model;site\nA1;P3265-V;Lund, hall 2\n"), chunk);

        Assert.Equal(["2 A1|P3265-V|Lund, hall 2"], Lists.Show(lines));
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_OfLinesThatCannotBeRead_TakesTheOthers(int chunk)
    {
        var text = "serial,model,site\n"
            + "A1,P3265-V,Lund\n"
            + "A2,P3265-V,\"Lund\n"
            + "A3,P3265-V,\"Lund\"\n"
            + "A4,P32\"65,Lund\n"
            + "A5,P3265-V\n"
            + "A6,P3265-V,Lund,more\n"
            + "A7,P3265-V,\"Lund\" hall\n"
            + $"A8,P3265-V,{new string('x', ListedLine.LengthMax)}\n"
            + $"A9,P3265-V,\"{new string('x', 70_000)}\n"
            + "B1,P3265-V,Lund\n"
            + "B2,P3265-V,\"";

        var lines = await Lists.ReadAsync(isCsv: true, Encoding.UTF8.GetBytes(text), chunk);

        Assert.Equal(
            [
                "2 A1|P3265-V|Lund", "3 ! ", "4 A3|P3265-V|Lund", "5 ! ", "6 ! ", "7 ! ", "8 ! ", "9 ! ", "10 ! ",
                "11 B1|P3265-V|Lund", "12 ! ",
            ],
            Lists.Show(lines));
    }

    [Fact]
    public async Task Read_OfBytesThatAreNoText_LeavesThemToTheRules()
    {
        byte[] bytes = [.. "serial,model,site\nA1,P3265-V,"u8, 0xFF, .. "\nA2,P3265-V,Lund\n"u8];

        var lines = await Lists.ReadAsync(isCsv: true, bytes);

        Assert.NotNull(DeliveryLines.CheckValue(DeliveryColumn.Site, lines[0].Values[DeliveryColumn.Site]));
        Assert.Equal("3 A2|P3265-V|Lund", Lists.Show(lines)[1]);
    }

    [Fact]
    public async Task Read_WithDefaults_NeedsNoColumnForThem()
    {
        var defaults = DeliveryLine.Empty.With(DeliveryColumn.Model, "P3265-V").With(DeliveryColumn.Site, "Lund");

        var lines = await Lists.ReadAsync(isCsv: true, "serial,site\nA1,\nA2,Malmo\n"u8.ToArray(), defaults: defaults);

        Assert.Equal(["2 A1|P3265-V|Lund", "3 A2|P3265-V|Malmo"], Lists.Show(lines));
    }

    [Theory]
    [InlineData("", "1: it is empty")]
    [InlineData("\n\n", "1: it is empty")]
    [InlineData("model,site\n", "1: the column 'serial' is missing")]
    [InlineData("serial,site\n", "1: the column 'model' is missing")]
    [InlineData("serial,model,site,Serial\n", "1: the column 'serial' is there twice")]
    [InlineData("serial,model,colour\u001b\n", "1: there is no column 'colour?'")]
    [InlineData("serial,\"model\n", "1: a quotation mark")]
    [InlineData("A1,P3265-V,Lund\n", "1: there is no column 'A1'")]
    public async Task Read_OfAHeadThatIsNone_RefusesTheList(string text, string expected) =>
        Assert.StartsWith(expected, await Lists.RefusedAsync(isCsv: true, text), StringComparison.Ordinal);
}

public sealed class JsonListTests
{
    public static TheoryData<int> Chunks => [1, 2, 3, 7, 4096, int.MaxValue];

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_OfAnArray_NumbersItsObjectsByLine(int chunk)
    {
        const string Text = "\uFEFF\n[\n"
            + "  {\"serial\": \"A1\", \"model\": \"P3265-V\",\n    \"site\": \" Lund \"},\n"
            + "  {\"serial\": \"A2\", \"model\": \"P\\u00f6\", \"warranty_months\": 36, \"site\": null}, {\"serial\": \"A3\"}\n"
            + "]\n";

        var lines = await Lists.ReadAsync(isCsv: false, Encoding.UTF8.GetBytes(Text), chunk);

        Assert.Equal(["3 A1|P3265-V|Lund", "5 A2|Pö|", "5 A3||"], Lists.Show(lines));
        Assert.Equal("36", lines[1].Values[DeliveryColumn.WarrantyMonths]);
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_OfObjectsThatCannotBeRead_TakesTheOthers(int chunk)
    {
        var text = "[{\"serial\": \"A1\", \"colour\": \"red\", \"model\": [1, {}], \"site\": true},\n"
            + "{\"serial\": \"A2\", \"serial\": \"A3\"},\n"
            + $"{{\"serial\": \"A4\", \"site\": \"{new string('x', ListedLine.LengthMax)}\"}},\n"
            + "{\"serial\": \"A5\", \"site\": \"\\ud800\"},\n"
            + "{\"serial\": \"A6\"}]";

        var lines = await Lists.ReadAsync(isCsv: false, Encoding.UTF8.GetBytes(text), chunk);

        Assert.Equal(["1 ! , model, site", "2 ! serial", "3 ! ", "4 ! ", "5 A6||"], Lists.Show(lines));
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Read_OfAnObjectOnEachLine_TakesTheOthers(int chunk)
    {
        var text = "{\"serial\": \"A1\", \"model\": \"P3265-V\"}\r\n"
            + "\n"
            + "{\"serial\": \"A2\"\n"
            + "A3,P3265-V\n"
            + "{\"serial\": \"A4\"} {}\n"
            + $"{{\"serial\": \"A5\", \"site\": \"{new string('x', 70_000)}\"}}\n"
            + "{\"serial\": \"A6\"}";

        var lines = await Lists.ReadAsync(isCsv: false, Encoding.UTF8.GetBytes(text), chunk);

        Assert.Equal(["1 A1|P3265-V|", "3 ! ", "4 ! ", "5 ! ", "6 ! ", "7 A6||"], Lists.Show(lines));
    }

    [Theory]
    [InlineData("", "1: it is neither")]
    [InlineData("\n \"serial\"", "2: it is neither")]
    [InlineData("[{\"serial\": \"A1\"}", "1: a comma")]
    [InlineData("[{\"serial\": \"A1\"},", "1: the array has no end")]
    [InlineData("[\n{\"serial\": \"A1\"}\n{\"serial\": \"A2\"}]", "3: a comma")]
    [InlineData("[\n{\"serial\": \"A1\"},\n{\"serial\": \"A2\",\n\"model\" 5}]", "4: what stands there")]
    [InlineData("[{\"serial\": \"A1\"", "1: an object there has no end")]
    [InlineData("[1]", "1: an object is missing")]
    [InlineData("[]\n[]", "2: something stands behind")]
    public async Task Read_OfABrokenArray_EndsThere(string text, string expected) =>
        Assert.StartsWith(expected, await Lists.RefusedAsync(isCsv: false, text), StringComparison.Ordinal);

    [Fact]
    public async Task Read_OfAnObjectWithoutEnd_HoldsNoMoreThanItsLimit()
    {
        var text = "[{\"serial\": \"" + new string('x', 10_000_000);

        Assert.StartsWith("1: an object there has no end", await Lists.RefusedAsync(isCsv: false, text), StringComparison.Ordinal);
    }
}
