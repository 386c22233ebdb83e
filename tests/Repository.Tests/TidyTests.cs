using System.Globalization;
using System.Text.RegularExpressions;

namespace Muster.Repository.Tests;

/// <summary>
/// Rules of size and of words. What breaks one on purpose is in eng/tidy-exceptions.txt, a line of the form <c>rule file</c> (or
/// <c>rule file#Member</c>) each; that file may only shrink, so an entry that is not needed any more fails too.
/// </summary>
public sealed partial class TidyTests
{
    private const string ExceptionsFile = "eng/tidy-exceptions.txt";
    private const int MaxFileLines = 400;
    private const int MaxLineColumns = 140;
    private const int MaxMethodLines = 60;

    [Fact]
    public void Files_OfTheRepository_KeepTheRules()
    {
        var exceptions = Exceptions().ToHashSet(StringComparer.Ordinal);
        var unexpected = Violations()
            .Where(found => !exceptions.Contains(found.Key))
            .Select(found => $"{found.Key}: {found.Detail}")
            .ToArray();

        Assert.True(unexpected.Length == 0, string.Join('\n', unexpected));
    }

    [Fact]
    public void Exceptions_FromTheRules_AreAllNeeded()
    {
        var found = Violations().Select(violation => violation.Key).ToHashSet(StringComparer.Ordinal);
        var stale = Exceptions().Except(found).ToArray();

        Assert.Empty(stale);
    }

    [Fact]
    public void Of_AMethodWithBracesInStrings_CountsItsLines()
    {
        const string Source = "namespace A;\nclass B(int c)\n{\n    [Fact]\n    void D()\n    {\n        E(\"}\", '}'); // }\n    }\n}\n";

        Assert.Equal([("D", 5)], MethodLengths.Of(Source));
    }

    private static IEnumerable<string> Exceptions() => RepositoryFiles.Read(ExceptionsFile)
        .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Where(line => !line.StartsWith('#'));

    private static IEnumerable<(string Key, string Detail)> Violations() =>
        RepositoryFiles.All.SelectMany(file => InLines(file, RepositoryFiles.Read(file)))
            .Concat(RepositoryFiles.Sources().SelectMany(file => InCode(file, RepositoryFiles.Read(file))));

    private static IEnumerable<(string Key, string Detail)> InLines(string file, string text)
    {
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var where = string.Create(CultureInfo.InvariantCulture, $"line {i + 1}");
            if (lines[i].Length > MaxLineColumns && !HasFreeWidth(file))
            {
                yield return ($"line-columns {file}", where);
            }

            if (lines[i].Length > 0 && char.IsWhiteSpace(lines[i][^1]))
            {
                yield return ($"trailing-space {file}", where);
            }

            if (Unfinished().IsMatch(lines[i]))
            {
                yield return ($"unfinished {file}", where);
            }

            if (MachinePath().IsMatch(lines[i]))
            {
                yield return ($"machine-path {file}", where);
            }
        }
    }

    private static IEnumerable<(string Key, string Detail)> InCode(string file, string text)
    {
        var lines = text.Count(c => c == '\n');
        if (lines > MaxFileLines)
        {
            yield return ($"file-lines {file}", lines.ToString(CultureInfo.InvariantCulture));
        }

        foreach (Match type in BannedName().Matches(SourceText.Blank(text)))
        {
            yield return ($"type-name {file}#{type.Groups[1].Value}", "says nothing about what the type is for");
        }

        foreach (var (name, length) in MethodLengths.Of(text).Where(method => method.Lines > MaxMethodLines))
        {
            yield return ($"method-lines {file}#{name}", length.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Prose, tables and data wrap where they are shown.</summary>
    private static bool HasFreeWidth(string file) => Path.GetExtension(file) is ".md" or ".json" or ".sln" or ".txt" or ".tpl";

    [GeneratedRegex(@"\b(TO[D]O|FIX[M]E|HAC[K])\b|NotImplement[e]dException|\bSki[p]\s*=")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.$}])/(work|root|home|Users)/\w|\b[A-Z]:\\\\?Users")]
    private static partial Regex MachinePath();

    [GeneratedRegex(
        @"\b(?:class|record|struct|interface|enum)\s+(\w*(?:Manager|Helper|Helpers|Util|Utils|Common|Processor|Info|Data|Base|Impl))\b")]
    private static partial Regex BannedName();
}
