using System.Runtime.CompilerServices;
using System.Text.Json;
using Grpc.Core;
using Muster.Domain.Deliveries;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Deliveries;

/// <summary>
/// A list in JSON: an array of objects, or an object on each line. On lines of its own, one that cannot be read costs itself and no other;
/// in an array nobody can tell where the next one begins, and the list ends there.
/// </summary>
internal sealed class JsonList(NextChunk next, DeliveryLine defaults)
{
    /// <summary>An object that is too long is refused by itself up to here; a longer one is a mark that is missing.</summary>
    private const int ObjectBytesMax = 64 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private int _line = 1;
    private bool _isEnd;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public IAsyncEnumerable<ListedLine> ReadAsync(CancellationToken cancellationToken) => ReadListAsync(cancellationToken);

    private async IAsyncEnumerable<ListedLine> ReadListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await SkipByteOrderMarkAsync(cancellationToken);
        var first = await PeekAsync(cancellationToken);
        if (first is not ((byte)'[' or (byte)'{'))
        {
            throw Invalid(_line, "it is neither an array of objects nor an object on each line");
        }

        if (first == '{')
        {
            while (await NextLineAsync(cancellationToken) is { } line)
            {
                yield return line;
            }

            yield break;
        }

        _start++;
        for (var isFirst = true; await MoveToObjectAsync(isFirst, cancellationToken); isFirst = false)
        {
            yield return await NextObjectAsync(cancellationToken);
        }
    }

    private async ValueTask SkipByteOrderMarkAsync(CancellationToken cancellationToken)
    {
        while (_end - _start < ByteOrderMark.Length && await FillAsync(cancellationToken))
        {
        }

        _start = Text().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
    }

    private async ValueTask<ListedLine?> NextLineAsync(CancellationToken cancellationToken)
    {
        while (await PeekAsync(cancellationToken) is not null)
        {
            var at = _line;
            int length;
            var isLong = false;
            while ((length = Text().IndexOf((byte)'\n')) < 0 && !_isEnd)
            {
                if (_end - _start > ListedLine.LengthMax)
                {
                    // Only its end is looked for from here on.
                    isLong = true;
                    _start = _end - ListedLine.LengthMax;
                }

                await FillAsync(cancellationToken);
            }

            var line = Text()[..(length < 0 ? _end - _start : length)];
            var read = JsonObject.Read(at, isLong ? new byte[ListedLine.LengthMax + 1] : line, defaults);
            _start += line.Length;
            return read;
        }

        return null;
    }

    /// <summary>Behind the comma, at the next object; false behind the array's end.</summary>
    private async ValueTask<bool> MoveToObjectAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var found = await PeekAsync(cancellationToken);
        if (found == ']')
        {
            _start++;
            return await PeekAsync(cancellationToken) is null ? false : throw Invalid(_line, "something stands behind the array");
        }

        if (!isFirst)
        {
            _start += found == ',' ? 1 : throw Invalid(_line, "a comma or the array's end is missing");
            found = await PeekAsync(cancellationToken);
        }

        return found == '{' ? true : throw Invalid(_line, found is null ? "the array has no end" : "an object is missing");
    }

    private async ValueTask<ListedLine> NextObjectAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = LengthOfObject()) == 0)
        {
            if (_end - _start > ObjectBytesMax || !await FillAsync(cancellationToken))
            {
                throw Invalid(_line, "an object there has no end");
            }
        }

        var text = Text()[..length];
        var line = JsonObject.Read(_line, text, defaults);
        _line += text.Count((byte)'\n');
        _start += length;
        return line;
    }

    /// <summary>0 when its end is not there yet.</summary>
    private int LengthOfObject()
    {
        try
        {
            var reader = new Utf8JsonReader(Text(), isFinalBlock: false, default);
            return reader.Read() && reader.TrySkip() ? (int)reader.BytesConsumed : 0;
        }
        catch (JsonException exception)
        {
            throw Invalid(_line + (int)(exception.LineNumber ?? 0), "what stands there is no JSON");
        }
    }

    /// <summary>The next byte that is no blank, to which it moves; null at the end.</summary>
    private async ValueTask<byte?> PeekAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            for (; _start < _end; _start++)
            {
                if (_buffer[_start] is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                {
                    return _buffer[_start];
                }

                _line += _buffer[_start] == '\n' ? 1 : 0;
            }

            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }
    }

    /// <summary>Gets more bytes; false when there are no more.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_isEnd)
        {
            return false;
        }

        var chunk = await next(cancellationToken);
        _isEnd = chunk.IsEmpty;
        var rest = Text().ToArray();
        var room = rest.Length + chunk.Length;
        _buffer = _buffer.Length < room ? new byte[room] : _buffer;
        rest.CopyTo(_buffer, 0);
        chunk.CopyTo(_buffer.AsMemory(rest.Length));
        (_start, _end) = (0, room);
        return !_isEnd;
    }

    private ReadOnlySpan<byte> Text() => _buffer.AsSpan(_start, _end - _start);

    private static RpcException Invalid(int line, string cause) => FleetErrors.ToRpcException(DeliveryErrors.ListInvalid(line, cause));
}
