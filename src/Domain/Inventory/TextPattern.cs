namespace Muster.Domain.Inventory;

/// <summary>A text with <c>*</c> for any characters, none included. Matching takes no more steps than value times pattern.</summary>
internal sealed class TextPattern
{
    private readonly string _pattern;

    private TextPattern(string pattern) => _pattern = pattern;

    /// <summary>Null when the text is no pattern.</summary>
    public static TextPattern? Of(string text) => text.Contains('*', StringComparison.Ordinal) ? new TextPattern(text) : null;

    public bool Matches(ReadOnlySpan<char> value)
    {
        var (at, next) = (0, 0);
        var (star, resume) = (-1, 0);
        while (at < value.Length)
        {
            if (next < _pattern.Length && _pattern[next] == '*')
            {
                (star, resume) = (next++, at);
            }
            else if (next < _pattern.Length && _pattern[next] == value[at])
            {
                at++;
                next++;
            }
            else if (star >= 0)
            {
                // The last star takes one character more.
                (next, at) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }

        return _pattern.AsSpan(next).TrimStart('*').IsEmpty;
    }
}
