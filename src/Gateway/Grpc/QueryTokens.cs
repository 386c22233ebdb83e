using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Opaque tokens that are bound to a query by a hash, so that one is never used with another filter, order or parent: base64url of
/// <c>hash (16 bytes) + content</c>. They hold nothing secret and are not signed: one that is made up asks for what its owner may ask
/// anyway.
/// </summary>
internal static class QueryTokens
{
    private const int HashBytes = 16;

    public static string Create(string query, Action<BinaryWriter> write)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Hash(query));
        write(writer);
        writer.Flush();
        return Base64Url.EncodeToString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>What the token holds; null when it is another query's, or not one of ours.</summary>
    public static T? Read<T>(string query, string token, Func<BinaryReader, T?> read)
        where T : class
    {
        // Decoding would throw at the first character of another alphabet.
        var bytes = Base64Url.IsValid(token) ? Base64Url.DecodeFromChars(token) : [];
        if (bytes.Length <= HashBytes || !bytes.AsSpan(0, HashBytes).SequenceEqual(Hash(query)))
        {
            return null;
        }

        try
        {
            var content = new MemoryStream(bytes, HashBytes, bytes.Length - HashBytes);
            using var reader = new BinaryReader(content, Encoding.UTF8);
            var value = read(reader);
            return content.Position == content.Length ? value : null;
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Hash(string query) => SHA256.HashData(Encoding.UTF8.GetBytes(query))[..HashBytes];
}
