using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Grpc.Core;
using Muster.Domain.Deliveries;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Deliveries;

/// <summary>
/// A list in CSV. A line that cannot be read costs itself and no other: reading goes on with the next line of the file, so that a missing
/// quotation mark does not swallow what follows.
/// </summary>
internal sealed class CsvList(NextChunk next, DeliveryLine defaults)
{
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>Longer than any column's name.</summary>
    private const int NameShownMax = 40;

    private const string Malformed =
        "a quotation mark has no place there, or is missing: marks stand around a whole value of one line, and two of them for one inside";

    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private readonly List<string> _fields = [];
    private char[] _buffer = [];
    private int _start;
    private int _end;
    private int _line = 1;
    private bool _isFirst = true;
    private bool _isEnd;
    private char _separator = ',';

    /// <summary>The lines behind the one with the names of the columns.</summary>
    public async IAsyncEnumerable<ListedLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FindSeparatorAsync(cancellationToken);
        var (at, fault) = await NextAsync(cancellationToken);
        var columns = at == 0 || fault is not null ? throw Invalid(1, fault ?? "it is empty") : ReadColumns(at);
        while (true)
        {
            (at, fault) = await NextAsync(cancellationToken);
            if (at == 0)
            {
                yield break;
            }

            yield return fault is not null ? ListedLine.Unreadable(at, fault)
                : _fields.Count != columns.Length ? ListedLine.Unreadable(at, $"has {_fields.Count} values for {columns.Length} columns")
                : ListedLine.Of(at, DeliveryLine.Of(columns, _fields.ToArray(), defaults));
        }
    }

    /// <summary>Spreadsheets write semicolons where the comma divides numbers.</summary>
    private async Task FindSeparatorAsync(CancellationToken cancellationToken)
    {
        while (!Text().Contains('\n') && _end - _start < ListedLine.LengthMax && await FillAsync(cancellationToken))
        {
        }

        var line = Text().TrimStart("\r\n");
        line = line.IndexOf('\n') is >= 0 and var end ? line[..end] : line;
        _separator = line.Count(';') > line.Count(',') ? ';' : ',';
    }

    private DeliveryColumn[] ReadColumns(int line)
    {
        var problems = new List<string>();
        var columns = new List<DeliveryColumn>();
        foreach (var name in _fields)
        {
            if (!DeliveryColumns.TryParse(name.ToLowerInvariant(), out var column))
            {
                var shown = ShownText.OneLine(name, NameShownMax);
                problems.Add($"there is no column '{shown}'; there are {string.Join(", ", DeliveryColumns.Names)}");
                break;
            }

            if (columns.Contains(column))
            {
                problems.Add($"the column '{DeliveryColumns.NameOf(column)}' is there twice");
            }

            columns.Add(column);
        }

        if (problems.Count == 0)
        {
            foreach (var column in (DeliveryColumn[])[DeliveryColumn.Serial, DeliveryColumn.Model])
            {
                if (!columns.Contains(column) && defaults[column].Length == 0)
                {
                    problems.Add($"the column '{DeliveryColumns.NameOf(column)}' is missing");
                }
            }
        }

        return problems.Count == 0 ? [.. columns] : throw Invalid(line, string.Join("; ", problems));
    }

    /// <summary>Reads the next record that is not empty into the fields: its line, 0 at the end, and what is wrong with it.</summary>
    private async ValueTask<(int Line, string? Fault)> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = _line;
            switch (TryRead())
            {
                case CsvOutcome.Read when _fields is [{ Length: 0 }]:
                    if (_start == _end && _isEnd)
                    {
                        return (0, null);
                    }

                    break;
                case CsvOutcome.Read:
                    return (line, null);
                case CsvOutcome.Malformed:
                    await SkipLineAsync(cancellationToken);
                    return (line, Malformed);
                case CsvOutcome.Incomplete when _end - _start > ListedLine.LengthMax:
                    await SkipLineAsync(cancellationToken);
                    return (line, string.Create(
                        CultureInfo.InvariantCulture,
                        $"has more than {ListedLine.LengthMax} characters, or a quotation mark is missing"));
                default:
                    await FillAsync(cancellationToken);
                    break;
            }
        }
    }

    /// <summary>Moves behind the record when it was read.</summary>
    private CsvOutcome TryRead()
    {
        var text = Text();
        var isCut = text.Length > ListedLine.LengthMax;
        var outcome = CsvRecord.Read(
            isCut ? text[..(ListedLine.LengthMax + 1)] : text, _isEnd && !isCut, _separator, _fields, out var length);
        if (outcome == CsvOutcome.Read)
        {
            _line++;
            _start += length;
        }

        return outcome;
    }

    private async ValueTask SkipLineAsync(CancellationToken cancellationToken)
    {
        _line++;
        int end;
        while ((end = Text().IndexOf('\n')) < 0)
        {
            _start = _end;
            if (!await FillAsync(cancellationToken))
            {
                return;
            }
        }

        _start += end + 1;
    }

    /// <summary>Gets more text; false when there is no more.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_isEnd)
        {
            return false;
        }

        var chunk = await next(cancellationToken);
        _isEnd = chunk.IsEmpty;
        var rest = Text().ToArray();
        var room = rest.Length + Encoding.UTF8.GetMaxCharCount(chunk.Length);
        _buffer = _buffer.Length < room ? new char[room] : _buffer;
        rest.CopyTo(_buffer, 0);
        (_start, _end) = (0, rest.Length);
        _end += _decoder.GetChars(chunk.Span, _buffer.AsSpan(_end), flush: _isEnd);
        if (_isFirst && _end > 0)
        {
            _isFirst = false;
            _start = _buffer[0] == ByteOrderMark ? 1 : 0;
        }

        return !_isEnd;
    }

    private ReadOnlySpan<char> Text() => _buffer.AsSpan(_start, _end - _start);

    private static RpcException Invalid(int line, string cause) => FleetErrors.ToRpcException(DeliveryErrors.ListInvalid(line, cause));
}
