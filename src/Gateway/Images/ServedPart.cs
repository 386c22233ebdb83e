using Microsoft.Net.Http.Headers;

namespace Muster.Gateway.Images;

/// <summary>Which part of a file a request gets, by RFC 9110: preconditions first (§13.2.2), then the range (§14.2).</summary>
/// <param name="Status">200, 206, 304, 412 or 416.</param>
/// <param name="From">The first byte of the body.</param>
/// <param name="Length">Bytes of the body; 0 where there is none.</param>
internal readonly record struct ServedPart(int Status, long From, long Length)
{
    /// <summary>
    /// Of a file that never changes. A range of several parts gets the whole file, as §14.2 allows: a device that goes on where it stopped
    /// asks for one. The file has no date, so that a condition by date is never true.
    /// </summary>
    public static ServedPart Of(HttpRequest request, EntityTagHeaderValue tag, long length)
    {
        var headers = request.GetTypedHeaders();
        if (request.Headers.IfMatch.Count > 0 && !IsMatch(headers.IfMatch, tag, isStrong: true))
        {
            return new ServedPart(StatusCodes.Status412PreconditionFailed, 0, 0);
        }

        if (request.Headers.IfNoneMatch.Count > 0 && IsMatch(headers.IfNoneMatch, tag, isStrong: false))
        {
            return new ServedPart(StatusCodes.Status304NotModified, 0, 0);
        }

        var whole = new ServedPart(StatusCodes.Status200OK, 0, length);
        if (!HttpMethods.IsGet(request.Method) || request.Headers.Range.Count == 0)
        {
            return whole;
        }

        // One that cannot be read, or that is a date, is not this file's tag: the whole file, so that nobody puts two files together.
        if (request.Headers.IfRange.Count > 0 && headers.IfRange?.EntityTag?.Compare(tag, useStrongComparison: true) != true)
        {
            return whole;
        }

        return headers.Range is { Unit: { } unit, Ranges: { Count: 1 } ranges } && unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            ? Of(ranges.First(), length)
            : whole;
    }

    private static ServedPart Of(RangeItemHeaderValue range, long length)
    {
        var from = range.From ?? Math.Max(0, length - range.To ?? 0);
        var to = range.From is null ? length - 1 : Math.Min(range.To ?? long.MaxValue, length - 1);
        return from >= length || (range.From is null && range.To is null or 0)
            ? new ServedPart(StatusCodes.Status416RangeNotSatisfiable, 0, 0)
            : new ServedPart(StatusCodes.Status206PartialContent, from, to - from + 1);
    }

    private static bool IsMatch(IList<EntityTagHeaderValue> tags, EntityTagHeaderValue tag, bool isStrong)
    {
        foreach (var known in tags)
        {
            if (known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, isStrong))
            {
                return true;
            }
        }

        return false;
    }
}
