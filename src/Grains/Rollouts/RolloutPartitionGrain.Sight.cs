using Microsoft.Extensions.Logging;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>Questions about one device; they read what the last step left and change nothing.</summary>
internal sealed partial class RolloutPartitionGrain
{
    public async Task<MemberSighting> SightAsync(SightMember command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var inventory = GrainFactory.GetInventory(_partition);
        var row = await MatchingDevices.FindAsync(inventory, _tenant, "", command.Device);
        var sighting = new MemberSighting { Device = command.Device, Row = row?.Row as DeviceRow };
        if (command is { Image: null, Settings: null } || _share?.Freeze != command.Freeze || _members is null
            || !_members.TryFind(DeviceKey.Of(_tenant, command.Device), out var member))
        {
            var matching = await MatchingDevices.FindAsync(inventory, _tenant, command.Filter, command.Device);
            return sighting with { Matches = matching is not null, LeftOut = _leftOut.GetValueOrDefault(command.Device) };
        }

        var preview = await PreviewAsync(command, ShareRules.RetryOf(_share, member));
        return sighting with { Matches = true, Preview = preview, Member = PlaceOf(command, member, row) };
    }

    private MemberPlace PlaceOf(SightMember command, int member, ListedRow? row)
    {
        var (share, now) = (_share!, _clock.GetUtcNow());
        var wave = _members!.WaveOf(command.Cuts, member);
        var reach = row is null ? MemberReach.Offline : MemberIndex.ReachOf(row, _rollout);
        var full = reach == MemberReach.Online ? _seats?.WaitsFor(member, now) : null;
        var known = ShareRules.Find(share, member);
        return new MemberPlace
        {
            Wave = wave,
            Status = share.Members[member],
            Retry = ShareRules.RetryOf(share, member),
            Wait = ShareRules.WaitOf(share, member, full is null ? reach : MemberReach.GroupFull, now),
            FullGroup = full,
            DueAt = known.Retry?.DueAt,
            TurnAt = MemberTurns.TurnOf(share, member, command.OpenedAt[wave], now),
            Offer = known.Offer,
            End = known.End,
        };
    }

    /// <summary>Null when the device does not answer: the rest is known all the same.</summary>
    private async Task<OfferPreview?> PreviewAsync(SightMember command, int retry)
    {
        try
        {
            return await GrainFactory.GetDevice(_tenant, command.Device).PreviewOfferAsync(
                OfferOf(command.Image, command.Settings, command.AllowTrackChange, command.Epoch, retry) with
                {
                    Rank = command.Rank,
                    Path = command.Path,
                    KeepsNewer = command.KeepsNewer,
                });
        }
        catch (Exception fault)
        {
            LogPreviewUnknown(fault, _rollout.Value, command.Device.Value);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: device {DeviceId} does not say what an offer would do")]
    private partial void LogPreviewUnknown(Exception fault, string rolloutId, string deviceId);
}
