using System.Collections.Immutable;
using Google.Rpc;
using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>How far a watch is: all that was committed up to these positions, and who came and went up to this time, was told.</summary>
/// <param name="At">When the positions were taken.</param>
/// <param name="Positions">One for each partition.</param>
internal sealed record ResumePoint(DateTimeOffset At, ImmutableArray<FeedPosition> Positions);

/// <summary>
/// Resume tokens of watches: a position in every partition's feed, bound to the query. Any gateway takes them. About 3.5 kB with 256
/// partitions.
/// </summary>
internal static class ResumeTokens
{
    public const string ExpiredReason = "RESUME_TOKEN_EXPIRED";

    public static string Create(string query, ResumePoint point) => QueryTokens.Create(Scope(query), writer =>
    {
        writer.Write(point.At.ToUnixTimeMilliseconds());
        foreach (var (sequence, fingerprint) in point.Positions)
        {
            writer.Write7BitEncodedInt64(sequence);
            writer.Write(fingerprint);
        }
    });

    /// <summary>The point to go on from; null without a token.</summary>
    public static ResumePoint? Read(string query, string token, int partitions) => token.Length == 0
        ? null
        : QueryTokens.Read(Scope(query), token, reader => ReadPoint(reader, partitions)) ?? throw Invalid();

    /// <summary>What changed since is not known any more.</summary>
    public static RpcException Expired() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Precondition,
        ExpiredReason,
        "What changed since this resume token is no longer known; watch without a token, and forget the devices of the watch before."));

    public static bool IsExpired(RpcException refusal) =>
        refusal.GetRpcStatus()?.GetDetail<ErrorInfo>() is { Reason: ExpiredReason };

    private static ResumePoint ReadPoint(BinaryReader reader, int partitions)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
        var positions = ImmutableArray.CreateBuilder<FeedPosition>(partitions);
        for (var i = 0; i < partitions; i++)
        {
            positions.Add(new FeedPosition(reader.Read7BitEncodedInt64(), reader.ReadUInt64()));
        }

        return new ResumePoint(at, positions.MoveToImmutable());
    }

    /// <summary>A list's page token is no watch's resume token, also of one filter.</summary>
    private static string Scope(string query) => "watch\n" + query;

    private static RpcException Invalid() => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Invalid,
        "RESUME_TOKEN_INVALID",
        "The resume token belongs to another watch; watch without a token.",
        ("field", "resume_token")));
}
