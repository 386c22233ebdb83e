using System.Text;

namespace Muster.Domain.Inventory;

/// <summary>Reads the words and signs of a filter, an order or a grouping; knows where it is.</summary>
internal ref struct FilterReader(string text)
{
    private int _at;

    /// <summary>From 1, as an editor counts.</summary>
    public readonly int Column => _at + 1;

    public readonly bool IsAtEnd => _at == text.Length;

    /// <summary>Whether anything follows.</summary>
    public bool SkipSpace()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }

        return _at < text.Length;
    }

    public bool TrySign(char sign)
    {
        if (_at < text.Length && text[_at] == sign)
        {
            _at++;
            return true;
        }

        return false;
    }

    /// <summary>A word of its own: AND of ANDROID is none. <paramref name="end"/> may follow it at once.</summary>
    public bool TryKeyword(string keyword, char end = '(')
    {
        var rest = text.AsSpan(_at);
        if (!rest.StartsWith(keyword, StringComparison.Ordinal)
            || (rest.Length > keyword.Length && rest[keyword.Length] is not (' ' or '\t' or '\n' or '\r') && rest[keyword.Length] != end))
        {
            return false;
        }

        _at += keyword.Length;
        return true;
    }

    public FilterOperator TryOperator()
    {
        var rest = text.AsSpan(_at);
        var (found, length) = rest switch
        {
            ['!', '=', ..] => (FilterOperator.NotEqual, 2),
            ['<', '=', ..] => (FilterOperator.LessOrEqual, 2),
            ['>', '=', ..] => (FilterOperator.GreaterOrEqual, 2),
            ['=', ..] => (FilterOperator.Equal, 1),
            ['<', ..] => (FilterOperator.Less, 1),
            ['>', ..] => (FilterOperator.Greater, 1),
            [':', ..] => (FilterOperator.Has, 1),
            _ => (FilterOperator.Unspecified, 0),
        };
        _at += length;
        return found;
    }

    /// <summary>A segment of a path: letters, digits and <c>_ - / %</c>, or quoted; empty when there is none.</summary>
    public string Segment() => TryQuoted(out var quoted) ? quoted : Word("_-/%");

    /// <summary>A bare value may hold what versions, instants, durations, names and patterns hold; anything else is quoted.</summary>
    public bool TryValue(out string value)
    {
        if (TryQuoted(out value))
        {
            return true;
        }

        value = Word("_.-:%/+*@");
        return value.Length > 0;
    }

    private string Word(string signs)
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || signs.Contains(text[_at], StringComparison.Ordinal)))
        {
            _at++;
        }

        return text[start.._at];
    }

    private bool TryQuoted(out string value)
    {
        value = "";
        if (_at == text.Length || text[_at] != '"')
        {
            return false;
        }

        var read = new StringBuilder();
        for (var i = _at + 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                _at = i + 1;
                value = read.ToString();
                return true;
            }

            if (text[i] == '\\' && i + 1 < text.Length)
            {
                i++;
            }

            read.Append(text[i]);
        }

        return false;
    }
}
