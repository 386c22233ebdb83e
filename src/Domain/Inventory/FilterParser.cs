using System.Text;

namespace Muster.Domain.Inventory;

/// <summary>
/// Reads the language of AIP-160: comparisons joined by AND, OR and NOT (or <c>-</c>), with parentheses. As there, OR binds more
/// tightly than AND, and comparisons that only follow each other are joined by AND. Stops at the first thing that it cannot read.
/// </summary>
internal ref struct FilterParser(string text, ImmutableArray<InventoryField> fields)
{
    private FilterReader _reader = new(text);
    private int _tests;

    /// <summary>What was wrong; null while nothing was.</summary>
    public FleetError? Error { get; private set; }

    public FilterNode? ReadAll()
    {
        if (!_reader.SkipSpace())
        {
            return new AllOf([]);
        }

        var root = ReadAllOf(depth: 0);
        if (Error is null && _reader.SkipSpace())
        {
            Fail(_reader.Column, "Expected AND, OR or the end.");
        }

        return Error is null ? root : null;
    }

    private FilterNode? ReadAllOf(int depth)
    {
        var parts = ImmutableArray.CreateBuilder<FilterNode>();
        do
        {
            if (ReadAnyOf(depth) is not { } part)
            {
                return null;
            }

            parts.Add(part);
        }
        while (ContinuesWithAnd());

        return parts.Count == 1 ? parts[0] : new AllOf(parts.ToImmutable());
    }

    /// <summary>After AND something has to follow; without it, whatever begins a comparison goes on.</summary>
    private bool ContinuesWithAnd()
    {
        if (!_reader.SkipSpace())
        {
            return false;
        }

        var probe = _reader;
        return _reader.TryKeyword("AND") || !probe.TrySign(')');
    }

    private FilterNode? ReadAnyOf(int depth)
    {
        var parts = ImmutableArray.CreateBuilder<FilterNode>();
        do
        {
            if (ReadTerm(depth) is not { } part)
            {
                return null;
            }

            parts.Add(part);
            _reader.SkipSpace();
        }
        while (_reader.TryKeyword("OR"));

        return parts.Count == 1 ? parts[0] : new AnyOf(parts.ToImmutable());
    }

    private FilterNode? ReadTerm(int depth)
    {
        _reader.SkipSpace();
        var isNegated = _reader.TryKeyword("NOT") || _reader.TrySign('-');
        _reader.SkipSpace();
        var column = _reader.Column;
        var node = _reader.TrySign('(') ? ReadGroup(column, depth + 1) : ReadTest();
        return node is not null && isNegated ? new Not(node) : node;
    }

    private FilterNode? ReadGroup(int column, int depth)
    {
        if (depth > InventoryFilter.DepthMax)
        {
            return Fail(column, $"Parentheses are nested deeper than {InventoryFilter.DepthMax}.");
        }

        var node = ReadAllOf(depth);
        if (node is null)
        {
            return null;
        }

        _reader.SkipSpace();
        return _reader.TrySign(')') ? node : Fail(_reader.Column, $"The parenthesis of column {column} is not closed.");
    }

    private FilterNode? ReadTest()
    {
        var column = _reader.Column;
        if (++_tests > InventoryFilter.TestsMax)
        {
            return Fail(column, $"The filter has more than {InventoryFilter.TestsMax} comparisons.");
        }

        if (PathParser.TryRead(ref _reader, fields, out var path) is { } why)
        {
            return Fail(column, why);
        }

        _reader.SkipSpace();
        var operation = _reader.TryOperator();
        if (operation == FilterOperator.Unspecified)
        {
            return Fail(_reader.Column, "Expected one of = != < <= > >= and the colon.");
        }

        _reader.SkipSpace();
        column = _reader.Column;
        return _reader.TryValue(out var literal)
            ? ToTest(path, operation, literal, column)
            : Fail(column, "Expected a value; one with spaces or signs stands in double quotes.");
    }

    private FilterNode? ToTest(FieldPath path, FilterOperator operation, string literal, int column)
    {
        if (path.Field.Type == FieldType.Map && path.Key.Length == 0)
        {
            // labels:floor asks for the key itself.
            return operation == FilterOperator.Has
                ? new FieldTest(path with { Key = literal }, FilterOperator.Present, "", 0, false)
                : Fail(column, $"{path.Field.Name} needs a key: {path.Field.Name}.key = value, or {path.Field.Name}:key.");
        }

        if (operation == FilterOperator.Has && literal == "*")
        {
            return new FieldTest(path, FilterOperator.Present, "", 0, false);
        }

        var (test, why) = FilterLiterals.Read(path, operation, literal);
        return test ?? Fail(column, why);
    }

    private FilterNode? Fail(int column, string why)
    {
        Error ??= InventoryFilter.Invalid(column, why);
        return null;
    }
}

/// <summary>Reads <c>field</c> and <c>field.key</c>.</summary>
internal static class PathParser
{
    /// <summary>Null when the path could be read; else what is wrong with it.</summary>
    public static string? TryRead(ref FilterReader reader, ImmutableArray<InventoryField> fields, out FieldPath path)
    {
        var name = reader.Segment();
        var key = new StringBuilder();
        while (reader.TrySign('.'))
        {
            // Keys have dots of their own: Network.SSH.Enabled is one.
            key.Append(key.Length > 0 ? "." : "").Append(reader.Segment());
        }

        path = default;
        if (fields.FirstOrDefault(one => one.Name == name) is not { } field)
        {
            return $"'{name}' is not a field; the fields are {string.Join(", ", fields.Select(one => one.Name))}.";
        }

        path = new FieldPath(field, key.ToString());
        return key.Length > 0 && field.Type != FieldType.Map ? $"{name} has no keys." : null;
    }
}
