namespace Muster.Simulator.Demo;

/// <summary>Where a run shows what happens: lines that stay, and bars that change.</summary>
internal interface IStage
{
    void Heading(string text);

    void Tell(string line);

    /// <summary>The bars as they are now; empty when there are none any more.</summary>
    void Show(IReadOnlyList<string> bars);
}

internal static class Stage
{
    private const int BarWidth = 30;

    public static IStage For(TextWriter writer, bool isTerminal) => isTerminal ? new LiveStage(writer) : new PlainStage(writer);

    public static string Bar(string label, long filled, long total, string rest = "")
    {
        var width = total == 0 ? 0 : (int)(BarWidth * Math.Min(filled, total) / total);
        return $"{label,-12} [{new string('#', width)}{new string('.', BarWidth - width)}] {filled}/{total} {rest}".TrimEnd();
    }
}

/// <summary>Plain lines, for files and pipes; bars are said when they change.</summary>
internal sealed class PlainStage(TextWriter writer) : IStage
{
    private readonly Lock _gate = new();
    private string _shown = "";

    public void Heading(string text) => Write(text);

    public void Tell(string line) => Write("  " + line);

    public void Show(IReadOnlyList<string> bars)
    {
        var text = string.Join("   ", bars);
        if (text.Length > 0 && text != _shown)
        {
            Write("  " + text);
        }

        _shown = text;
    }

    private void Write(string text)
    {
        lock (_gate)
        {
            writer.WriteLine(text);
        }
    }
}

/// <summary>A terminal: the bars stand below everything that was told, and are drawn again in their place.</summary>
internal sealed class LiveStage(TextWriter writer) : IStage
{
    private const string Bold = "\u001b[1m";
    private const string Plain = "\u001b[0m";
    private const string ClearBelow = "\u001b[J";

    /// <summary>A bar that wraps would be two lines to go back.</summary>
    private const int ColumnsMax = 79;

    private readonly Lock _gate = new();
    private IReadOnlyList<string> _bars = [];

    public void Heading(string text) => Draw(_bars, Bold + text + Plain);

    public void Tell(string line) => Draw(_bars, "  " + line);

    public void Show(IReadOnlyList<string> bars)
    {
        if (!bars.SequenceEqual(_bars))
        {
            Draw([.. bars.Select(bar => bar.Length > ColumnsMax ? bar[..ColumnsMax] : bar)]);
        }
    }

    private void Draw(IReadOnlyList<string> bars, params IEnumerable<string> lines)
    {
        lock (_gate)
        {
            var up = _bars.Count > 0 ? $"\r\u001b[{_bars.Count}A" : "";
            writer.Write(up + ClearBelow + string.Concat(lines.Concat(bars).Select(line => line + Environment.NewLine)));
            writer.Flush();
            _bars = bars;
        }
    }
}
