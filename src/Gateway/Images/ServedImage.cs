using System.Buffers;
using System.Globalization;
using Microsoft.Net.Http.Headers;
using Muster.Artifacts;
using Muster.Domain.Images;

namespace Muster.Gateway.Images;

/// <summary>
/// An image as an HTTP answer, whole or in a range, at the pace of its place. The bytes are named by their digest, which is the strong tag.
/// Whoever makes it disposes the content with the request.
/// </summary>
internal sealed class ServedImage(ImageDigest digest, Artifact content, TransferPlaces.Place? place) : IResult
{
    /// <summary>Four TLS records: the copying costs nothing beside their encryption, and a slow device holds little memory.</summary>
    private const int BufferBytes = 64 * 1024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var tag = new EntityTagHeaderValue($"\"{digest}\"");
        var part = ServedPart.Of(httpContext.Request, tag, content.Length);
        response.StatusCode = part.Status;
        response.Headers.ETag = tag.Tag.Value;
        response.Headers.AcceptRanges = "bytes";

        // Whom it was served to is decided for each request; a cache between would serve it to anybody.
        response.Headers.CacheControl = "private, no-transform";
        switch (part.Status)
        {
            case StatusCodes.Status200OK:
                await SendAsync(httpContext, part);
                return;
            case StatusCodes.Status206PartialContent:
                response.Headers.ContentRange = string.Create(
                    CultureInfo.InvariantCulture, $"bytes {part.From}-{part.From + part.Length - 1}/{content.Length}");
                await SendAsync(httpContext, part);
                return;
            case StatusCodes.Status416RangeNotSatisfiable:
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{content.Length}");
                return;
            default:
                return;
        }
    }

    private async Task SendAsync(HttpContext http, ServedPart part)
    {
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = part.Length;
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        var source = await content.OpenAsync(part.From, part.Length, http.RequestAborted);
        var chunk = Math.Min(BufferBytes, place?.ChunkMax ?? BufferBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(chunk);
        try
        {
            for (var left = part.Length; left > 0;)
            {
                var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(chunk, left)), http.RequestAborted);
                if (read == 0)
                {
                    throw new EndOfStreamException($"The file ends {left} bytes before its length.");
                }

                if (place is not null)
                {
                    await place.PaceAsync(read, http.RequestAborted);
                }

                await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
                left -= read;
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The device went, or lost its right: the connection is gone with it.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
