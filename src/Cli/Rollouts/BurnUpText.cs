using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A burn-up of characters, no line wider than <see cref="Width"/>.</summary>
internal static class BurnUpText
{
    /// <summary>The oldest terminal there is.</summary>
    public const int Width = 80;

    private const int Rows = 15;

    /// <summary>A number of devices, at most a hundred million, and the axis.</summary>
    private const int LabelWidth = 11;

    private const int Columns = Width - LabelWidth;

    /// <summary>Of those that stopped it, the newest: more than these are a list, which <c>decisions</c> is.</summary>
    private const int HaltsMax = 6;

    public static IEnumerable<string> Of(RolloutCourse course)
    {
        var rollout = course.Rollout;
        foreach (var line in Wrap($"{course.Name}: {course.Sum}"))
        {
            yield return line;
        }

        var columns = Enumerable.Range(0, Columns).Select(i => ColumnAt(course, i)).ToArray();
        for (var row = Rows; row > 0; row--)
        {
            var label = row == Rows ? rollout.Members : row == (Rows + 1) / 2 ? rollout.Members * row / Rows : 0;
            yield return (label > 0 ? FormattableString.Invariant($"{label,9} ┤") : "          │")
                + string.Concat(columns.Select(column => column[row - 1])).TrimEnd();
        }

        yield return "        0 └" + new string('─', Columns);
        yield return Marks(course);
        var (start, end) = (course.Time(course.Start), course.Time(course.End));
        yield return new string(' ', LabelWidth) + start + end.PadLeft(Columns - start.Length);
        yield return "█ succeeded  ▓ failed  ░ in progress  0-9 a wave starts  ! it was stopped";
        foreach (var halt in course.Halts.TakeLast(HaltsMax))
        {
            yield return Cut($"! {course.Time(halt.At)} {halt.Label}: {halt.Text}");
        }

        if (rollout.Estimate is { Text.Length: > 0 } estimate)
        {
            foreach (var line in Wrap(estimate.Text))
            {
                yield return line;
            }
        }
    }

    /// <summary>As it was at the column's end; empty where the course has ended before.</summary>
    private static string ColumnAt(RolloutCourse course, int column)
    {
        var whole = course.End - course.Start;
        return course.Start + (whole * column / Columns) < course.DrawnUntil
            ? Column(course.At(course.Start + (whole * (column + 1) / Columns)), course.Rollout.Members)
            : new string(' ', Rows);
    }

    /// <summary>From the bottom up. Failures are seen however few they are.</summary>
    private static string Column(V1.BurnUpPoint point, long members)
    {
        var succeeded = Cells(point.Succeeded, members);
        var ended = Math.Min(Rows, Math.Max(Cells(point.Succeeded + point.Failed, members), succeeded + (point.Failed > 0 ? 1 : 0)));
        succeeded = Math.Min(succeeded, ended - (point.Failed > 0 ? 1 : 0));
        var offered = Math.Max(ended, Cells(point.Offered, members));
        return new string('█', succeeded) + new string('▓', ended - succeeded) + new string('░', offered - ended)
            + new string(' ', Rows - offered);
    }

    private static int Cells(long part, long members) =>
        members == 0 ? 0 : (int)Math.Clamp(Math.Round((double)part * Rows / members), 0, Rows);

    /// <summary>What stopped it hides a wave that started in the same column.</summary>
    private static string Marks(RolloutCourse course)
    {
        var marks = new char[Columns];
        Array.Fill(marks, ' ');
        foreach (var wave in course.Waves)
        {
            marks[ColumnOf(course, wave)] = wave.Label[^1];
        }

        foreach (var halt in course.Halts)
        {
            marks[ColumnOf(course, halt)] = '!';
        }

        return new string(' ', LabelWidth) + new string(marks).TrimEnd();
    }

    private static int ColumnOf(RolloutCourse course, CourseMark mark) => Math.Min(Columns - 1, (int)(course.Place(mark.At) * Columns));

    private static string Cut(string text) => text.Length <= Width ? text : text[..(Width - 1)] + "…";

    private static IEnumerable<string> Wrap(string text)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
            {
                yield return line;
                line = "";
            }

            line += line.Length == 0 ? Cut(word) : $" {word}";
        }

        yield return line;
    }
}
