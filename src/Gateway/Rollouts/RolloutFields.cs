using System.Collections;
using System.Collections.Frozen;
using Google.Protobuf;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>
/// Whose each field of a rollout of the API is. One that is not named here is a course's, and so no rollout's beside a strategy.
/// </summary>
internal static class RolloutFields
{
    /// <summary>What is changed and for whom: each rollout's own, also from a strategy.</summary>
    public static FrozenSet<string> Order { get; } = new[]
    {
        "image", "settings", "filter", "allow_track_change", "take_steps", "retry_of", "seed",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>What says which rollout it is, and what is output only: in what is ordered nobody looks at it.</summary>
    public static FrozenSet<string> Shown { get; } = new[]
    {
        "name", "strategy", "etag", "state", "epoch", "members", "wave_status", "decisions", "waiting_on", "created_at", "started_at",
        "ended_at", "target_version", "succeeded", "failed", "setting_count", "approvals", "approvals_needed", "created_by", "edited_by",
        "estimate", "burn_up", "roll_back", "members_without_way_back", "expected_skips", "steps", "late_joiners", "left_out",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The fields of a course that are set.</summary>
    public static IEnumerable<string> CourseIn(V1.Rollout rollout) =>
        SetIn(rollout).Where(field => !Order.Contains(field) && !Shown.Contains(field));

    /// <summary>The fields of an order that are set.</summary>
    public static IEnumerable<string> OrderIn(V1.Rollout rollout) => SetIn(rollout).Where(Order.Contains);

    private static IEnumerable<string> SetIn(V1.Rollout rollout) => V1.Rollout.Descriptor.Fields.InDeclarationOrder()
        .Where(field => field.Accessor.GetValue(rollout) switch
        {
            null or "" or false or 0 or 0L => false,
            IList list => list.Count > 0,
            Enum value => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) != 0,
            ByteString bytes => !bytes.IsEmpty,
            double number => number != 0,
            _ => true,
        })
        .Select(field => field.Name);
}
