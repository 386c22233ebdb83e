using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Page tokens: the last name of the page before, bound to the query by a hash, so that a token is never used with another filter.
/// Opaque to callers: base64url of <c>hash (16 bytes) + name</c>.
/// </summary>
internal static class PageTokens
{
    private const int HashBytes = 16;

    public static string Create(string query, string lastName) =>
        Base64Url.EncodeToString([.. Hash(query), .. Encoding.UTF8.GetBytes(lastName)]);

    /// <summary>The name to go on after; empty for the first page.</summary>
    public static string Read(string query, string token)
    {
        if (token.Length == 0)
        {
            return "";
        }

        // Decoding first checks the characters: anything else throws FormatException.
        if (!Base64Url.IsValid(token))
        {
            throw Invalid();
        }

        var bytes = Base64Url.DecodeFromChars(token);
        return bytes.Length > HashBytes && bytes.AsSpan(0, HashBytes).SequenceEqual(Hash(query))
            ? Encoding.UTF8.GetString(bytes, HashBytes, bytes.Length - HashBytes)
            : throw Invalid();
    }

    private static byte[] Hash(string query) => SHA256.HashData(Encoding.UTF8.GetBytes(query))[..HashBytes];

    private static RpcException Invalid() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Invalid,
        "PAGE_TOKEN_INVALID",
        "The page token belongs to another query; start from the first page.",
        ("field", "page_token")));
}
