using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>Where a page ended: the name of its last row, and that row's values in the fields that the list is ordered by.</summary>
internal readonly record struct PagePlace(ImmutableArray<FieldValue> Keys, string Name)
{
    public static PagePlace Start { get; } = new([], "");
}

/// <summary>
/// Page tokens: where the page before ended, bound to the query by a hash, so that a token is never used with another filter or
/// order. What comes behind a place stays what it is when rows before it come, go or move. Opaque to callers: base64url of
/// <c>hash (16 bytes) + keys + name</c>.
/// </summary>
internal static class PageTokens
{
    private const int HashBytes = 16;

    public static string Create(string query, PagePlace last)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Hash(query));
        writer.Write((byte)last.Keys.Length);
        foreach (var (text, number) in last.Keys)
        {
            writer.Write(text ?? "");
            writer.Write(number);
        }

        writer.Write(last.Name);
        writer.Flush();
        return Base64Url.EncodeToString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>The place to go on behind; the start for the first page.</summary>
    public static PagePlace Read(string query, string token, int keys)
    {
        if (token.Length == 0)
        {
            return PagePlace.Start;
        }

        // Decoding first checks the characters: anything else throws FormatException.
        if (!Base64Url.IsValid(token))
        {
            throw Invalid();
        }

        var bytes = Base64Url.DecodeFromChars(token);
        return bytes.Length > HashBytes && bytes.AsSpan(0, HashBytes).SequenceEqual(Hash(query)) ? ReadPlace(bytes, keys) : throw Invalid();
    }

    private static PagePlace ReadPlace(byte[] bytes, int expected)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, HashBytes, bytes.Length - HashBytes), Encoding.UTF8);
            var count = reader.ReadByte();
            if (count != expected)
            {
                throw Invalid();
            }

            var keys = ImmutableArray.CreateBuilder<FieldValue>();
            for (var i = 0; i < count; i++)
            {
                var text = reader.ReadString();
                keys.Add(new FieldValue(text.Length == 0 ? null : text, reader.ReadInt64()));
            }

            return new PagePlace(keys.ToImmutable(), reader.ReadString());
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            throw Invalid();
        }
    }

    private static byte[] Hash(string query) => SHA256.HashData(Encoding.UTF8.GetBytes(query))[..HashBytes];

    private static RpcException Invalid() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Invalid,
        "PAGE_TOKEN_INVALID",
        "The page token belongs to another query; start from the first page.",
        ("field", "page_token")));
}
