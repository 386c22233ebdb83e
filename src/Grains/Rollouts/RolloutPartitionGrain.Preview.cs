using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Dry runs: the members as a freeze would find them, in memory only. Nothing is committed and no feed is held; a crash between two
/// questions ends the dry run, and its caller asks again.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>A dry run asks all that it asks within a minute or has failed; then its members are not held any longer.</summary>
    private static readonly TimeSpan PreviewMax = TimeSpan.FromMinutes(2);

    private (Guid Id, ImmutableArray<MemberPoint> Points)? _preview;
    private IGrainTimer? _previewEnd;

    public async Task<MemberHistogram> PreviewAsync(FreezeMembers command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var found = await FindMembersAsync(command);
        if (found.Points is not { } points)
        {
            return MemberHistogram.Empty with { IsTooFine = true };
        }

        _preview = (command.Freeze, points);
        _previewEnd ??= this.RegisterGrainTimer(_ => ForgetAsync(_preview?.Id ?? default), PreviewMax, Timeout.InfiniteTimeSpan);
        _previewEnd.Change(PreviewMax, Timeout.InfiniteTimeSpan);
        return MemberHistogram.Of(points) with { Sites = found.Sites, Downgrades = found.Downgrades, Fit = found.Fit };
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
