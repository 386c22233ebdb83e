using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>How far a watch is: all that was committed up to these positions, and who came and went up to this time, was told.</summary>
/// <param name="At">When the positions were taken.</param>
/// <param name="Positions">One for each partition.</param>
internal sealed record ResumePoint(DateTimeOffset At, ImmutableArray<FeedPosition> Positions);

/// <summary>
/// Resume tokens of watches: a position in every partition's feed, bound to the query by a hash. Any gateway takes them. Opaque to callers:
/// base64url of <c>hash (16 bytes) + time (ms) + positions</c>, about 3.5 kB with 256 partitions.
/// </summary>
internal static class ResumeTokens
{
    private const int HashBytes = 16;

    public static string Create(string query, ResumePoint point)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Hash(query));
        writer.Write(point.At.ToUnixTimeMilliseconds());
        foreach (var (sequence, fingerprint) in point.Positions)
        {
            writer.Write7BitEncodedInt64(sequence);
            writer.Write(fingerprint);
        }

        writer.Flush();
        return Base64Url.EncodeToString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>The point to go on from; null without a token.</summary>
    public static ResumePoint? Read(string query, string token, int partitions)
    {
        if (token.Length == 0)
        {
            return null;
        }

        if (!Base64Url.IsValid(token))
        {
            throw Invalid();
        }

        var bytes = Base64Url.DecodeFromChars(token);
        return bytes.Length > HashBytes && bytes.AsSpan(0, HashBytes).SequenceEqual(Hash(query))
            ? ReadPoint(bytes, partitions)
            : throw Invalid();
    }

    /// <summary>What changed since is not known any more.</summary>
    public static RpcException Expired() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Precondition,
        "RESUME_TOKEN_EXPIRED",
        "What changed since this resume token is no longer known; watch without a token, and forget the devices of the watch before."));

    private static ResumePoint ReadPoint(byte[] bytes, int partitions)
    {
        try
        {
            var stream = new MemoryStream(bytes, HashBytes, bytes.Length - HashBytes);
            using var reader = new BinaryReader(stream);
            var at = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
            var positions = ImmutableArray.CreateBuilder<FeedPosition>(partitions);
            for (var i = 0; i < partitions; i++)
            {
                positions.Add(new FeedPosition(reader.Read7BitEncodedInt64(), reader.ReadUInt64()));
            }

            return stream.Position == stream.Length ? new ResumePoint(at, positions.MoveToImmutable()) : throw Invalid();
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            throw Invalid();
        }
    }

    private static byte[] Hash(string query) => SHA256.HashData(Encoding.UTF8.GetBytes("watch\n" + query))[..HashBytes];

    private static RpcException Invalid() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Invalid,
        "RESUME_TOKEN_INVALID",
        "The resume token belongs to another watch; watch without a token.",
        ("field", "resume_token")));
}
