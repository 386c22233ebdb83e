namespace Muster.Domain.Inventory;

/// <summary>
/// A filter over rows: terms <c>field = value</c> or <c>field != value</c> joined by <c>AND</c>, values bare or in double
/// quotes with <c>\"</c> and <c>\\</c> (a subset of AIP-160). The empty filter matches everything.
/// </summary>
public sealed class InventoryFilter
{
    /// <summary>Longer than any filter a person writes; bounds the work of reading one.</summary>
    public const int LengthMax = 2_000;

    /// <summary>Each term is evaluated for every row.</summary>
    public const int TermsMax = 32;

    private readonly ImmutableArray<Term> _terms;

    private InventoryFilter(ImmutableArray<Term> terms) => _terms = terms;

    /// <summary>Matches everything.</summary>
    public static InventoryFilter All { get; } = new([]);

    /// <summary>Reads a filter whose fields are among <paramref name="fields"/>; a refusal names the column, from 1.</summary>
    public static (InventoryFilter Filter, FleetError? Error) Parse(string text, ImmutableArray<InventoryField> fields)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LengthMax)
        {
            return (All, Invalid(LengthMax, $"The filter is longer than {LengthMax} characters."));
        }

        var reader = new Reader(text);
        var terms = ImmutableArray.CreateBuilder<Term>();
        while (reader.SkipSpace())
        {
            if (terms.Count > 0 && !reader.TryKeyword("AND"))
            {
                return (All, Invalid(reader.Column, "Expected AND."));
            }

            if (terms.Count == TermsMax)
            {
                return (All, Invalid(reader.Column, $"The filter has more than {TermsMax} terms."));
            }

            var (term, error) = ReadTerm(ref reader, fields);
            if (error is not null)
            {
                return (All, error);
            }

            terms.Add(term);
        }

        return (new InventoryFilter(terms.ToImmutable()), null);
    }

    /// <summary>Does the row match? <paramref name="connected"/> is the device's presence; false for other rows.</summary>
    public bool Matches(InventoryRow row, bool connected)
    {
        ArgumentNullException.ThrowIfNull(row);
        foreach (var term in _terms)
        {
            var value = term.Field == "connected" ? (connected ? "true" : "false") : row.Field(term.Field) ?? "";
            if (string.Equals(value, term.Value, term.Comparison) != term.IsEqual)
            {
                return false;
            }
        }

        return true;
    }

    private static (Term Term, FleetError? Error) ReadTerm(ref Reader reader, ImmutableArray<InventoryField> fields)
    {
        reader.SkipSpace();
        var column = reader.Column;
        var word = reader.Word();
        if (fields.FirstOrDefault(one => one.Name == word) is not { } field)
        {
            var names = string.Join(", ", fields.Select(one => one.Name));
            return (default, Invalid(column, $"'{word}' is not a field; the fields are {names}."));
        }

        reader.SkipSpace();
        if (!reader.TryOperator(out var isEqual))
        {
            return (default, Invalid(reader.Column, "Expected = or !=."));
        }

        reader.SkipSpace();
        column = reader.Column;
        if (!reader.TryValue(out var value))
        {
            return (default, Invalid(column, "Expected a value; one with spaces or signs stands in double quotes."));
        }

        if (!field.Takes(value))
        {
            return (default, Invalid(column, $"'{value}' is no value of {word}; the values are {string.Join(", ", field.Values)}."));
        }

        return (field.Values.IsEmpty
            ? new Term(word, isEqual, value, StringComparison.Ordinal)
            : new Term(word, isEqual, InventoryField.Plain(value), StringComparison.OrdinalIgnoreCase), null);
    }

    private static FleetError Invalid(int column, string why) => FleetError.Of(
        ErrorKind.Invalid,
        "FILTER_INVALID",
        $"The filter cannot be read at column {column}: {why}",
        ("column", column.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private readonly record struct Term(string Field, bool IsEqual, string Value, StringComparison Comparison);

    private ref struct Reader(string text)
    {
        private int _at;

        public readonly int Column => _at + 1;

        public bool SkipSpace()
        {
            while (_at < text.Length && text[_at] == ' ')
            {
                _at++;
            }

            return _at < text.Length;
        }

        public bool TryKeyword(string keyword)
        {
            if (!text.AsSpan(_at).StartsWith(keyword, StringComparison.Ordinal))
            {
                return false;
            }

            _at += keyword.Length;
            return _at == text.Length || text[_at] == ' ';
        }

        public string Word()
        {
            var start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '_' or '.' or '-' or ':' or '%' or '/'))
            {
                _at++;
            }

            return text[start.._at];
        }

        public bool TryOperator(out bool isEqual)
        {
            isEqual = _at < text.Length && text[_at] == '=';
            if (isEqual)
            {
                _at++;
                return true;
            }

            if (!text.AsSpan(_at).StartsWith("!=", StringComparison.Ordinal))
            {
                return false;
            }

            _at += 2;
            return true;
        }

        public bool TryValue(out string value)
        {
            if (_at < text.Length && text[_at] == '"')
            {
                return TryQuoted(out value);
            }

            value = Word();
            return value.Length > 0;
        }

        private bool TryQuoted(out string value)
        {
            var read = new System.Text.StringBuilder();
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

            value = "";
            return false;
        }
    }
}
