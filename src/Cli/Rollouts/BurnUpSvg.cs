using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A burn-up as a picture of its own: no script, no font, no file beside it; readable on a light and on a dark page.</summary>
internal static class BurnUpSvg
{
    private const int Width = 960;
    private const int Height = 480;
    private const int Left = 80;
    private const int Right = 20;
    private const int Top = 70;
    private const int Bottom = 60;

    /// <summary>Parts of both axes.</summary>
    private const int Ticks = 4;

    /// <summary>Labels of waves and halts stand in rows, so that those that follow each other soon can be read.</summary>
    private const int LabelRows = 3;

    private const string Style = """
        svg{background:#fff;color:#1f2328;font:12px system-ui,sans-serif}
        text{fill:currentColor}.name{font-size:16px;font-weight:600}.axis{stroke:#8c959f;fill:none}.grid{stroke:#d0d7de}
        .offered{stroke:#9a6700;fill:none;stroke-width:2;stroke-dasharray:2 3}
        .succeeded{stroke:#1a7f37;fill:#1a7f37;fill-opacity:.18;stroke-width:2}
        .failed{stroke:#cf222e;fill:none;stroke-width:2}
        .wave{stroke:#57606a;stroke-dasharray:6 4}.halt{stroke:#cf222e;stroke-width:2}.why{fill:#cf222e}
        @media (prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.axis{stroke:#6e7681}.grid{stroke:#30363d}
        .offered{stroke:#d29922}.succeeded{stroke:#3fb950;fill:#3fb950}.failed,.halt{stroke:#f85149}.wave{stroke:#8b949e}.why{fill:#f85149}}
        """;

    private static readonly (string Class, string Text)[] s_legend =
        [("succeeded", "succeeded"), ("offered", "offered"), ("failed", "failed"), ("halt", "stopped")];

    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    public static string Of(RolloutCourse course)
    {
        var members = Math.Max(1, course.Rollout.Members);
        var root = Element(
            "svg", ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-labelledby", "title desc"));
        root.Add(Text("title", $"Burn-up of rollout {course.Name}", ("id", "title")));
        root.Add(Text("desc", Describe(course), ("id", "desc")));
        root.Add(Text("style", Style));
        root.Add(Text("text", course.Name, ("class", "name"), ("x", Number(Left)), ("y", "20")));
        root.Add(Text("text", $"{course.Sum} {course.Rollout.Estimate?.Text}".TrimEnd(), ("x", Number(Left)), ("y", "38")));
        AddAxes(root, course, members);
        root.Add(Curve("succeeded", course, members, point => point.Succeeded, isArea: true));
        root.Add(Curve("offered", course, members, point => point.Offered, isArea: false));
        root.Add(Curve("failed", course, members, point => point.Failed, isArea: false));
        AddMarks(root, course, course.Waves, "wave", "");
        AddMarks(root, course, course.Halts, "halt", "why");
        AddLegend(root);
        return root.ToString();
    }

    private static string Describe(RolloutCourse course)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{course.Sum} From {course.Start:u} to {course.End:u}.");
        foreach (var mark in course.Waves.Concat(course.Halts).OrderBy(mark => mark.At))
        {
            text.Append(CultureInfo.InvariantCulture, $" {mark.At:u}: {mark.Text}");
        }

        return text.ToString();
    }

    private static void AddAxes(XElement root, RolloutCourse course, long members)
    {
        for (var i = 0; i <= Ticks; i++)
        {
            var count = members * i / Ticks;
            var y = Y(count, members);
            root.Add(Line("grid", Left, y, Width - Right, y));
            root.Add(Text("text", Number(count), ("x", Number(Left - 8)), ("y", Number(y + 4)), ("text-anchor", "end")));
            var at = course.Start + ((course.End - course.Start) * i / Ticks);
            var anchor = i == 0 ? "start" : i == Ticks ? "end" : "middle";
            root.Add(Text(
                "text", course.Time(at), ("x", Number(X(course, at))), ("y", Number(Height - Bottom + 20)), ("text-anchor", anchor)));
        }

        root.Add(Line("axis", Left, Height - Bottom, Width - Right, Height - Bottom));
        root.Add(Line("axis", Left, Top, Left, Height - Bottom));
    }

    /// <summary>Steps: what was seen at a point holds until the next one.</summary>
    private static XElement Curve(string name, RolloutCourse course, long members, Func<V1.BurnUpPoint, long> value, bool isArea)
    {
        var path = new StringBuilder().Append(CultureInfo.InvariantCulture, $"M{Left} {Height - Bottom}");
        foreach (var point in course.Steps)
        {
            path.Append(
                CultureInfo.InvariantCulture,
                $"H{X(course, point.At.ToDateTimeOffset()):0.##}V{Y(value(point), members):0.##}");
        }

        path.Append(CultureInfo.InvariantCulture, $"H{X(course, course.DrawnUntil):0.##}");
        if (isArea)
        {
            path.Append(CultureInfo.InvariantCulture, $"V{Height - Bottom}Z");
        }

        return Element("path", ("class", name), ("d", path.ToString()));
    }

    private static void AddMarks(XElement root, RolloutCourse course, IReadOnlyList<CourseMark> marks, string line, string label)
    {
        for (var i = 0; i < marks.Count; i++)
        {
            var (x, mark) = (X(course, marks[i].At), marks[i]);
            var y = (line == "wave" ? Top : Top + (LabelRows * 14)) + (i % LabelRows * 14);
            var isRight = x > Width * 3 / 4;
            var group = Element("g");
            group.Add(Text("title", $"{mark.At:u} {mark.Label}: {mark.Text}"));
            group.Add(Line(line, x, Top, x, Height - Bottom));
            group.Add(Text(
                "text",
                mark.Label,
                ("class", label),
                ("x", Number(isRight ? x - 4 : x + 4)),
                ("y", Number(y)),
                ("text-anchor", isRight ? "end" : "start")));
            root.Add(group);
        }
    }

    private static void AddLegend(XElement root)
    {
        var x = Left;
        foreach (var (name, text) in s_legend)
        {
            root.Add(Line(name, x, Height - 16, x + 24, Height - 16));
            root.Add(Text("text", text, ("x", Number(x + 30)), ("y", Number(Height - 12))));
            x += 130;
        }
    }

    private static double X(RolloutCourse course, DateTimeOffset at) => Left + (course.Place(at) * (Width - Left - Right));

    private static double Y(long count, long members) =>
        Height - Bottom - (Math.Min(1.0, (double)count / members) * (Height - Top - Bottom));

    private static XElement Line(string name, double x1, double y1, double x2, double y2) => Element(
        "line", ("class", name), ("x1", Number(x1)), ("y1", Number(y1)), ("x2", Number(x2)), ("y2", Number(y2)));

    private static XElement Text(string name, FormattableString text, params (string Name, string Value)[] attributes) =>
        Text(name, text.ToString(CultureInfo.InvariantCulture), attributes);

    private static XElement Text(string name, string text, params (string Name, string Value)[] attributes)
    {
        var element = Element(name, attributes);
        element.Value = Clean(text);
        return element;
    }

    private static XElement Element(string name, params (string Name, string Value)[] attributes) =>
        new(s_svg + name, attributes.Select(attribute => new XAttribute(attribute.Name, Clean(attribute.Value))));

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>XML has no place for some characters, not even escaped.</summary>
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            clean.Append(rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }
}
