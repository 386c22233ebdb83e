using System.Buffers;
using System.Text;

namespace Muster.Gateway.Deliveries;

/// <summary>How the reading of a record ended.</summary>
internal enum CsvOutcome
{
    /// <summary>The text ends before the record does.</summary>
    Incomplete = 0,

    /// <summary>It was read.</summary>
    Read = 1,

    /// <summary>A quotation mark stands where it has no place, or is missing.</summary>
    Malformed = 2,
}

/// <summary>
/// One record of RFC 4180: fields between separators, in quotation marks or not, up to the end of a line. No column can have a value of
/// several lines: a record that goes over the end of its line has a mark too many or too few.
/// </summary>
internal static class CsvRecord
{
    private static readonly SearchValues<char> Comma = SearchValues.Create(",\"\n");
    private static readonly SearchValues<char> Semicolon = SearchValues.Create(";\"\n");

    /// <summary>Reads the record at the beginning of the text; blanks around a value are not part of it.</summary>
    /// <param name="text">Begins with the record.</param>
    /// <param name="isEnd">Nothing comes behind the text.</param>
    /// <param name="separator">A comma or a semicolon.</param>
    /// <param name="fields">Gets the values.</param>
    /// <param name="length">What the record takes of the text, with the end of its line.</param>
    public static CsvOutcome Read(ReadOnlySpan<char> text, bool isEnd, char separator, List<string> fields, out int length)
    {
        fields.Clear();
        for (length = 0; ; length++)
        {
            var outcome = length < text.Length && text[length] == '"'
                ? ReadQuoted(text, isEnd, fields, ref length)
                : ReadPlain(text, isEnd, separator, fields, ref length);
            if (outcome != CsvOutcome.Read)
            {
                return outcome;
            }

            if (length < text.Length && text[length] == '\r')
            {
                length++;
            }

            if (length == text.Length)
            {
                return isEnd ? CsvOutcome.Read : CsvOutcome.Incomplete;
            }

            if (text[length] == '\n')
            {
                length++;
                return CsvOutcome.Read;
            }

            if (text[length] != separator)
            {
                return CsvOutcome.Malformed;
            }
        }
    }

    private static CsvOutcome ReadPlain(ReadOnlySpan<char> text, bool isEnd, char separator, List<string> fields, ref int length)
    {
        var rest = text[length..];
        var end = rest.IndexOfAny(separator == ',' ? Comma : Semicolon);
        if (end < 0)
        {
            if (!isEnd)
            {
                return CsvOutcome.Incomplete;
            }

            end = rest.Length;
        }
        else if (rest[end] == '"')
        {
            return CsvOutcome.Malformed;
        }

        fields.Add(rest[..end].Trim().ToString());
        length += end;
        return CsvOutcome.Read;
    }

    private static CsvOutcome ReadQuoted(ReadOnlySpan<char> text, bool isEnd, List<string> fields, ref int length)
    {
        var value = new StringBuilder();
        for (length++; ; length++)
        {
            var end = text[length..].IndexOfAny('"', '\n');
            if (end < 0)
            {
                return isEnd ? CsvOutcome.Malformed : CsvOutcome.Incomplete;
            }

            if (text[length + end] == '\n')
            {
                return CsvOutcome.Malformed;
            }

            value.Append(text.Slice(length, end));
            length += end + 1;
            if (length == text.Length && !isEnd)
            {
                return CsvOutcome.Incomplete;
            }

            // Two marks stand for one; a single one ends the value.
            if (length == text.Length || text[length] != '"')
            {
                fields.Add(value.ToString().Trim());
                return CsvOutcome.Read;
            }

            value.Append('"');
        }
    }
}
