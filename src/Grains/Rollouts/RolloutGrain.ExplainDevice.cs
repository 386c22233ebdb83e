using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>Questions about one device: one call to its partition's share, and the rules of the domain.</summary>
internal sealed partial class RolloutGrain
{
    public async Task<DeviceExplanationReply> ExplainDeviceAsync(DeviceId device)
    {
        // Interleaves as a read of the rollout does: what is committed, and the last report of the planner.
        if ((_beforeCommit ?? Reply()) is not { Rollout: { } rollout } reply)
        {
            return new(null, RolloutErrors.NotFound(_id.Value));
        }

        var partition = _partitions.OfDevice(DeviceKey.Of(_tenant, device));
        var sighting = await GrainFactory.GetRolloutPartition(_tenant, _id, partition).SightAsync(new SightMember
        {
            Device = device,
            Filter = rollout.Spec.Filter,
            Freeze = rollout.Freeze,
            Cuts = [.. rollout.Plan.Waves.Select(wave => wave.Cut)],
            OpenedAt = [.. rollout.Plan.Waves.Select(wave => wave.StartedAt)],
            Image = rollout.Image,
            Settings = rollout.Spec.Settings,
            AllowTrackChange = rollout.Spec.AllowTrackChange,
            Epoch = rollout.Plan.Epoch,
            Rank = rollout.Rank,
            Path = rollout.Spec.Path.IsDefault ? [] : rollout.Spec.Path,
            KeepsNewer = LateJoiners.KeepsNewer(rollout, _options.Approvals),
        });
        return new(DeviceExplainer.Explain(rollout, reply.Waves, sighting), null);
    }
}
