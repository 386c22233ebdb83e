using System.Text;

namespace Muster.Repository.Tests;

/// <summary>C# without what is in comments, strings and characters: blanks in their place, lines kept.</summary>
internal static class SourceText
{
    public static string Blank(string text)
    {
        var code = new StringBuilder(text.Length);
        var at = 0;
        while (at < text.Length)
        {
            var end = EndOfLiteral(text, at);
            if (end == at)
            {
                code.Append(text[at++]);
                continue;
            }

            for (; at < end; at++)
            {
                code.Append(text[at] == '\n' ? '\n' : ' ');
            }
        }

        return code.ToString();
    }

    /// <summary>Where the comment or literal that starts here ends; <paramref name="at"/> itself if none does.</summary>
    private static int EndOfLiteral(string text, int at) => text.AsSpan(at) switch
    {
        ['/', '/', ..] => After(text, at, "\n", 0),
        ['/', '*', ..] => After(text, at + 2, "*/", 2),
        ['"', '"', '"', ..] => After(text, at + 3, "\"\"\"", 3),
        ['@', '"', ..] => Quoted(text, at + 2, '"', '\0'),
        ['@', '$', '"', ..] or ['$', '@', '"', ..] => Quoted(text, at + 3, '"', '\0'),
        ['"', ..] => Quoted(text, at + 1, '"', '\\'),
        ['\'', ..] => Quoted(text, at + 1, '\'', '\\'),
        _ => at,
    };

    private static int After(string text, int from, string mark, int length)
    {
        var found = text.IndexOf(mark, from, StringComparison.Ordinal);
        return found < 0 ? text.Length : found + length;
    }

    private static int Quoted(string text, int from, char quote, char escape)
    {
        for (var at = from; at < text.Length; at++)
        {
            if (text[at] == escape)
            {
                at++;
            }
            else if (text[at] == quote)
            {
                return at + 1;
            }
        }

        return text.Length;
    }
}
