using Microsoft.Extensions.Logging;
using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The calls to devices: offers that are not confirmed, and changes whose time is over.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>As many commits as the store groups in one step, and a bound on what one call waits for.</summary>
    private const int DeviceCallsMax = RolloutLimits.OffersPerGrantMax;

    private async Task AskDevicesAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        var isAnswered = true;
        foreach (var chunk in _share!.Open.Where(offer => IsAsked(offer, command, now)).Chunk(DeviceCallsMax))
        {
            var replies = await Task.WhenAll(chunk.Select(offer => AskDeviceAsync(offer, command)));
            var isSaidOnlyHere = false;
            var facts = ImmutableArray.CreateBuilder<DomainEvent>();
            for (var i = 0; i < chunk.Length; i++)
            {
                switch (replies[i])
                {
                    case { } reply:
                        isSaidOnlyHere |= reply.Status != OfferStatus.Offered;
                        _share = Take(_share, chunk[i], reply, now);
                        break;
                    case null when !chunk[i].IsConfirmed && IsOver(chunk[i], command, now):
                        // A device whose record cannot be read never says what became of its offer: its permit serves another.
                        // Should the offer have been committed at last, the feed tells.
                        _share = ShareRules.Lose(_share, chunk[i].Member);
                        facts.Add(new RolloutMemberTimedOut(_rollout, _members!.Points[chunk[i].Member].Device));
                        break;
                }
            }

            isAnswered &= replies.All(reply => reply is not null);
            if (isSaidOnlyHere || facts.Count > 0)
            {
                // The feed tells of offers alone. A permit that was reported as lapsed and forgotten by a crash would be used
                // again.
                await CommitAsync(_share, facts.ToImmutable(), expectedEpoch: null, members: null);
            }
        }

        if (_share.HasMissed && isAnswered)
        {
            // Only now: a crash before asks all of them again.
            await CommitAsync(_share with { HasMissed = false }, fact: null);
        }
    }

    private bool IsAsked(OpenOffer offer, AdvanceShare command, DateTimeOffset now) =>
        _share!.HasMissed || !offer.IsConfirmed || IsOver(offer, command, now);

    private static bool IsOver(OpenOffer offer, AdvanceShare command, DateTimeOffset now) => offer.DeliveredAt is { } deliveredAt
        ? deliveredAt + command.InProgressTimeout <= now
        : offer.TakenAt + command.UndeliveredTimeout <= now;

    /// <summary>Null when it is not known what became of it.</summary>
    private async Task<OfferReply?> AskDeviceAsync(OpenOffer offer, AdvanceShare command)
    {
        var device = GrainFactory.GetDevice(_tenant, _members!.Points[offer.Member].Device);
        try
        {
            // Also after a pause, with the epoch of its permit: a device that has not got the offer refuses it then.
            return offer.IsConfirmed
                ? await device.ExpireChangeAsync(new ExpireChange(_rollout, command.InProgressTimeout, command.UndeliveredTimeout))
                : await device.OfferAsync(new OfferChange(
                    _rollout, offer.Epoch, command.Image.Target, command.Image.Track, command.Image.Models, command.AllowTrackChange));
        }
        catch (Exception fault)
        {
            LogOfferUnknown(fault, _rollout.Value, _members.Points[offer.Member].Device.Value);
            return null;
        }
    }

    private RolloutShare Take(RolloutShare share, OpenOffer offer, OfferReply reply, DateTimeOffset now)
    {
        var wave = _members!.Waves[offer.Member];
        switch (reply.Status)
        {
            case OfferStatus.Offered:
                return ShareRules.Confirm(share, offer.Member, wave, offer with { TakenAt = now, DeliveredAt = reply.DeliveredAt });
            case OfferStatus.WaitingOffline:
                _members.Reach[offer.Member] = MemberReach.Offline;
                return ShareRules.Release(share, offer.Member);
            case OfferStatus.WaitingBusy:
                _members.Reach[offer.Member] = MemberReach.Busy;
                return ShareRules.Release(share, offer.Member);
            case OfferStatus.Fenced:
                return ShareRules.Release(share, offer.Member);
            case OfferStatus.Closed:
                return ShareRules.Close(share, offer.Member, wave, reply.Outcome);
            default:
                throw new UnreachableException($"A device answered an offer with {reply.Status}.");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: what became of the offer to {DeviceId} is not known")]
    private partial void LogOfferUnknown(Exception fault, string rolloutId, string deviceId);
}
