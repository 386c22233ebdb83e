using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Dry runs: the members as a freeze would find them, in memory only. Nothing is committed and no feed is held; a crash between two
/// questions ends the dry run, and its caller asks again.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    private (Guid Id, ImmutableArray<MemberPoint> Points)? _preview;

    public async Task<MemberHistogram> PreviewAsync(FreezeMembers command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var found = await FindMembersAsync(command);
        if (found.Points is not { } points)
        {
            return MemberHistogram.Empty with { IsTooFine = true };
        }

        _preview = (command.Freeze, points);
        return MemberHistogram.Of(points);
    }

    public Task<ImmutableArray<MemberPoint>> GetPlacesAsync(Guid freeze, ImmutableArray<PlaceQuery> queries)
    {
        if (_preview is { } preview && preview.Id == freeze)
        {
            return Task.FromResult(PlaceQuery.Select(queries, preview.Points));
        }

        return _share?.Freeze == freeze && _members is not null
            ? Task.FromResult(PlaceQuery.Select(queries, _members.Points))
            : throw new InvalidOperationException($"Partition {_partition} knows no members of freeze {freeze} of rollout '{_rollout}'.");
    }

    public Task ForgetAsync(Guid preview)
    {
        _preview = _preview?.Id == preview ? null : _preview;
        return Task.CompletedTask;
    }
}
