using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Gateway.Est;

/// <summary>
/// Bodies of EST: base64, in lines or in one, without a header that says so (RFC 8951 3.1). What is written has lines of 76 characters,
/// so that <c>openssl base64 -d</c> takes it as it is.
/// </summary>
internal static class EstBody
{
    /// <summary>
    /// The largest request (<see cref="FleetAuthority.RequestBytesMax"/>) in base64, with every line ended by two characters.
    /// </summary>
    public const int BytesMax = (FleetAuthority.RequestBytesMax * 4 / 3) + 1024;

    private const string RequestType = "application/pkcs10";

    public static FileContentHttpResult Write(ReadOnlySpan<byte> content, string contentType) => TypedResults.Bytes(
        Encoding.ASCII.GetBytes(Convert.ToBase64String(content, Base64FormattingOptions.InsertLineBreaks) + "\r\n"), contentType);

    /// <summary>The request's bytes, or why there are none.</summary>
    public static async Task<(ImmutableArray<byte> Request, FleetError? Error)> ReadAsync(HttpContext http)
    {
        if (http.Request.ContentType?.Split(';')[0].Trim().Equals(RequestType, StringComparison.OrdinalIgnoreCase) != true)
        {
            return ([], CertificateErrors.SigningRequestInvalid($"its content type is not {RequestType}"));
        }

        // One byte above is enough to know; Kestrel would end the connection, and the device would not read why.
        var limit = http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false })
        {
            limit.MaxRequestBodySize = null;
        }

        var bytes = new byte[BytesMax + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, http.RequestAborted);
        if (length > BytesMax)
        {
            return ([], CertificateErrors.SigningRequestInvalid($"it is longer than {BytesMax} characters"));
        }

        var decoded = new byte[length];
        return Convert.TryFromBase64Chars(Encoding.ASCII.GetString(bytes, 0, length), decoded, out var count)
            ? ([.. decoded.AsSpan(0, count)], null)
            : ([], CertificateErrors.SigningRequestInvalid("it is not base64"));
    }
}
