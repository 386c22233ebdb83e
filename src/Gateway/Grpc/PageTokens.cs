using System.Collections.Immutable;
using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>Where a page ended: the name of its last row, and that row's values in the fields that the list is ordered by.</summary>
internal sealed record PagePlace(ImmutableArray<FieldValue> Keys, string Name)
{
    public static PagePlace Start { get; } = new([], "");
}

/// <summary>
/// Page tokens: where the page before ended, bound to the query. What comes behind a place stays what it is when rows before it come, go
/// or move.
/// </summary>
internal static class PageTokens
{
    public static string Create(string query, PagePlace last) => QueryTokens.Create(query, writer =>
    {
        writer.Write((byte)last.Keys.Length);
        foreach (var (text, number) in last.Keys)
        {
            writer.Write(text ?? "");
            writer.Write(number);
        }

        writer.Write(last.Name);
    });

    /// <summary>The place to go on behind; the start for the first page.</summary>
    public static PagePlace Read(string query, string token, int keys) => token.Length == 0
        ? PagePlace.Start
        : QueryTokens.Read(query, token, reader => ReadPlace(reader, keys)) ?? throw Invalid();

    private static PagePlace? ReadPlace(BinaryReader reader, int expected)
    {
        var count = reader.ReadByte();
        if (count != expected)
        {
            return null;
        }

        var keys = ImmutableArray.CreateBuilder<FieldValue>(count);
        for (var i = 0; i < count; i++)
        {
            var text = reader.ReadString();
            keys.Add(new FieldValue(text.Length == 0 ? null : text, reader.ReadInt64()));
        }

        return new PagePlace(keys.MoveToImmutable(), reader.ReadString());
    }

    private static RpcException Invalid() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Invalid,
        "PAGE_TOKEN_INVALID",
        "The page token belongs to another query; start from the first page.",
        ("field", "page_token")));
}
