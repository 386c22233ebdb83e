using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Rollouts;

/// <summary>How far a stream of decisions is.</summary>
/// <param name="At">When the token was made: rollouts that are not named here and are older had ended by then.</param>
/// <param name="Told">What was told last of each rollout that has not ended, or is young.</param>
internal sealed record DecisionPoint(DateTimeOffset At, IReadOnlyDictionary<ResourceId, DecisionMark> Told);

/// <summary>
/// Resume tokens of streams of decisions: a mark for each rollout that has not ended, some 40 bytes. Any gateway takes them.
/// </summary>
internal static class DecisionTokens
{
    /// <summary>Rollouts of a tenant that have not ended and are watched together: their marks stand in every token.</summary>
    public const int RolloutsMax = 1_000;

    /// <summary>As many marks, with names as long as names may be, in base64url.</summary>
    public const int CharactersMax = 120_000;

    public static string Create(string parent, DecisionPoint point) => QueryTokens.Create(Scope(parent), writer =>
    {
        writer.Write(point.At.ToUnixTimeMilliseconds());
        writer.Write7BitEncodedInt(point.Told.Count);
        foreach (var (rollout, mark) in point.Told)
        {
            writer.Write(rollout.Value);
            writer.Write7BitEncodedInt64(mark.Number);
            writer.Write(mark.Fingerprint);
        }
    });

    /// <summary>The point to go on from; null without a token.</summary>
    public static DecisionPoint? Read(string parent, string token) => token.Length == 0
        ? null
        : QueryTokens.Read(Scope(parent), token, ReadPoint) ?? throw FleetErrors.ToRpcException(FleetError.Of(
            ErrorKind.Invalid,
            "RESUME_TOKEN_INVALID",
            "The resume token belongs to another watch; watch without a token.",
            ("field", "resume_token")));

    /// <summary>The store went back in time: decisions that were told never happened.</summary>
    public static RpcException Expired(ResourceId rollout) => FleetErrors.ToRpcException(FleetError.Of(
        ErrorKind.Precondition,
        ResumeTokens.ExpiredReason,
        $"The store has lost decisions of rollout '{rollout}' that this watch was told; watch without a token, and forget them.",
        ("rollout", rollout.Value)));

    private static DecisionPoint ReadPoint(BinaryReader reader)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
        var count = reader.Read7BitEncodedInt();
        var told = new Dictionary<ResourceId, DecisionMark>();
        for (var i = 0; i < count; i++)
        {
            var id = ResourceId.TryParse(reader.ReadString(), out var parsed) ? parsed : throw new FormatException("No id of a rollout.");
            told[id] = new DecisionMark(reader.Read7BitEncodedInt64(), reader.ReadUInt64());
        }

        return new DecisionPoint(at, told);
    }

    /// <summary>A token of a watch of devices is none of decisions.</summary>
    private static string Scope(string parent) => "decisions\n" + parent;
}
