using System.Text.RegularExpressions;

namespace Muster.Repository.Tests;

/// <summary>The members of a source file that have braces, and how many lines each takes from its first line to its last.</summary>
internal static partial class MethodLengths
{
    public static IEnumerable<(string Name, int Lines)> Of(string source)
    {
        var code = SourceText.Blank(source);
        var open = new Stack<(bool IsType, string? Member, int Line)>();
        var line = 1;
        var start = 0;
        for (var at = 0; at < code.Length; at++)
        {
            switch (code[at])
            {
                case '\n':
                    line++;
                    break;
                case '{':
                    var header = code[start..at];
                    var isType = Type().IsMatch(header) || header.Contains("namespace ", StringComparison.Ordinal);
                    var inType = open.TryPeek(out var outer) && outer.IsType;
                    open.Push((isType, !isType && inType ? Name(header) : null, line - header.TrimStart().Count(c => c == '\n')));
                    start = at + 1;
                    break;
                case '}':
                    if (open.TryPop(out var closed) && closed.Member is not null)
                    {
                        yield return (closed.Member, line - closed.Line + 1);
                    }

                    start = at + 1;
                    break;
                case ';':
                    start = at + 1;
                    break;
            }
        }
    }

    private static string? Name(string header)
    {
        var match = Member().Match(Attribute().Replace(header, string.Empty));
        return match.Success ? match.Groups[1].Value : null;
    }

    [GeneratedRegex(@"\b(class|record|struct|interface|enum)\s+\w+")]
    private static partial Regex Type();

    [GeneratedRegex(@"\A\s*(\[[^\]]*\]\s*)+")]
    private static partial Regex Attribute();

    [GeneratedRegex(@"(\w+)\s*(?:<[^>(]*>)?\s*\(")]
    private static partial Regex Member();
}
