using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Muster.Contracts.CertificateStatus;
using Muster.Domain.CertificateStatus;

namespace Muster.Gateway.CertificateStatus;

/// <summary>Revocation lists and OCSP (RFC 6960 appendix A, RFC 5019) as a thin edge: silos sign.</summary>
internal sealed partial class CertificateStatusService(
    IGrainFactory grains, PublishedLists lists, OcspGate gate, TimeProvider clock, ILogger<CertificateStatusService> logger)
{
    /// <summary>A request for one certificate has some 80 bytes; what is larger is none of a client's.</summary>
    public const int RequestBytesMax = 2 * 1024;

    /// <summary>What caches between here and relying parties may keep a list for: a tombstone is to be seen soon.</summary>
    private static readonly TimeSpan ListCacheAge = TimeSpan.FromMinutes(1);

    private const string GetPrefix = "/ocsp/";

    public async Task<IResult> GetListAsync(HttpContext http, int generation)
    {
        RevocationListReply list;
        try
        {
            list = await lists.GetAsync(generation, http.RequestAborted);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && !http.RequestAborted.IsCancellationRequested)
        {
            LogFault(logger, exception);
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }

        if (list.Error is not null)
        {
            return TypedResults.NotFound();
        }

        http.Response.Headers.CacheControl = Cache(ListCacheAge);
        return TypedResults.Bytes(
            list.List.AsMemory(),
            "application/pkix-crl",
            entityTag: new EntityTagHeaderValue($"\"{list.Number.ToString(CultureInfo.InvariantCulture)}\""),
            lastModified: list.ThisUpdate);
    }

    public async Task<IResult> PostAsync(HttpContext http)
    {
        // One byte above is enough to know; Kestrel would end the connection, and the client would not read why.
        var limit = http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false })
        {
            limit.MaxRequestBodySize = null;
        }

        var bytes = new byte[RequestBytesMax + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, http.RequestAborted);
        return length > RequestBytesMax
            ? Write(http, OcspErrors.MalformedRequest, mayCache: false)
            : await AnswerAsync(http, [.. bytes.AsSpan(0, length)], mayCache: false);
    }

    /// <summary>RFC 6960 appendix A.1: the request is base64, of which some clients escape a part and some do not.</summary>
    public Task<IResult> GetAsync(HttpContext http)
    {
        // The raw target: an escaped slash in a path is left escaped, and a doubled one may be a part of the request.
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var start = target.IndexOf(GetPrefix, StringComparison.Ordinal);
        var text = start < 0 ? "" : Uri.UnescapeDataString(target[(start + GetPrefix.Length)..].Split('?')[0]);
        var bytes = new byte[RequestBytesMax];
        return Convert.TryFromBase64String(text, bytes, out var length)
            ? AnswerAsync(http, [.. bytes.AsSpan(0, length)], mayCache: true)
            : Task.FromResult<IResult>(Write(http, OcspErrors.MalformedRequest, mayCache: false));
    }

    private async Task<IResult> AnswerAsync(HttpContext http, ImmutableArray<byte> request, bool mayCache)
    {
        if (!gate.TryEnter())
        {
            return Write(http, OcspErrors.TryLater, mayCache: false);
        }

        try
        {
            var reply = await grains.GetCertificateStatus().AnswerAsync(request);
            return Write(http, new OcspAnswer(reply.Answer, reply.NextUpdate), mayCache);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFault(logger, exception);
            return Write(http, OcspErrors.TryLater, mayCache: false);
        }
        finally
        {
            gate.Leave();
        }
    }

    private FileContentHttpResult Write(HttpContext http, OcspAnswer answer, bool mayCache)
    {
        var left = answer.NextUpdate - clock.GetUtcNow();
        http.Response.Headers.CacheControl = mayCache && left is { } age && age > TimeSpan.Zero
            ? Cache(age < ListCacheAge ? age : ListCacheAge)
            : "no-store";
        return TypedResults.Bytes(answer.Der.AsMemory(), "application/ocsp-response");
    }

    private static string Cache(TimeSpan age) =>
        string.Create(CultureInfo.InvariantCulture, $"public, max-age={(int)age.TotalSeconds}, must-revalidate");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The state of certificates was asked for, and no silo answered")]
    private static partial void LogFault(ILogger logger, Exception exception);
}
