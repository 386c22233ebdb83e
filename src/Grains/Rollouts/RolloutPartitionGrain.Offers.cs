using Microsoft.Extensions.Logging;
using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The calls to devices: offers that are not confirmed, and changes whose time is over.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>As many commits as the store groups in one step, and a bound on what one call waits for.</summary>
    private const int DeviceCallsMax = RolloutLimits.OffersPerGrantMax;

    /// <summary>
    /// Then the feed is read again first. An offer that nobody got goes back after a minute: what is in memory for longer than that may be
    /// given to another device by now.
    /// </summary>
    private static readonly TimeSpan AskMax = TimeSpan.FromSeconds(30);

    private async Task AskDevicesAsync(AdvanceShare command)
    {
        var now = _clock.GetUtcNow();
        var isAnswered = true;
        foreach (var chunk in _share!.Open.Where(offer => IsAsked(offer, command, now)).Chunk(DeviceCallsMax))
        {
            if (_clock.GetUtcNow() - now > AskMax)
            {
                isAnswered = false;
                break;
            }

            var replies = await Task.WhenAll(chunk.Select(offer => AskDeviceAsync(offer, command)));
            RememberCancelled(chunk, replies, command);
            ConfirmAll(chunk, replies);
            var isSaidOnlyHere = false;
            var facts = ImmutableArray.CreateBuilder<DomainEvent>();
            for (var i = 0; i < chunk.Length; i++)
            {
                switch (replies[i])
                {
                    case { Status: OfferStatus.Offered }:
                        break;
                    case { } reply:
                        isSaidOnlyHere = true;
                        AddSkip(facts, chunk[i], reply);
                        _share = Take(
                            MemberSteps.Hear(_share, chunk[i].Member, reply.HasStepped, now), chunk[i], reply, command.Retries);
                        break;
                    case null when RollBackRules.MayLose(_share, chunk[i], command.Timers, now):
                        // A device whose record cannot be read never says what became of its offer: its permit serves another.
                        // Should the offer have been committed at last, the feed tells.
                        var policy = command.Timers.PolicyOf(chunk[i].DeliveredAt);
                        _share = ShareRules.Lose(_share, chunk[i].Member, policy, now);
                        facts.Add(GivenUp(chunk[i].Member, policy));
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

    /// <summary>Most answers say that the offer is made.</summary>
    private void ConfirmAll(OpenOffer[] asked, OfferReply?[] replies)
    {
        var now = _clock.GetUtcNow();
        var answers = new List<OfferAnswer>(asked.Length);
        for (var i = 0; i < asked.Length; i++)
        {
            if (replies[i] is { Status: OfferStatus.Offered } reply)
            {
                var offer = asked[i] with
                {
                    TakenAt = now,
                    FirstOfferedAt = reply.FirstOfferedAt,
                    DeliveredAt = reply.DeliveredAt,
                    InstallsSince = reply.InstallsSince,
                    Generation = reply.Generation,
                };
                RememberImage(offer, reply);
                answers.Add(new OfferAnswer(offer, reply.Retry));
                _share = MemberSteps.Hear(_share!, offer.Member, reply.HasStepped, now);
            }
        }

        _share = OfferAnswers.ConfirmAll(_share!, answers, _members!.Waves);
    }

    private bool IsAsked(OpenOffer offer, AdvanceShare command, DateTimeOffset now) =>
        _share!.HasMissed
        || !offer.IsConfirmed
        || IsWithdrawn(offer, command)
        || IsOfUnknownImage(offer)
        || OfferAsks.IsOver(offer, command.Timers, now)
        || IsCancelled(offer, command);

    /// <summary>Null when it is not known what became of it.</summary>
    private async Task<OfferReply?> AskDeviceAsync(OpenOffer offer, AdvanceShare command)
    {
        var device = GrainFactory.GetDevice(_tenant, _members!.Points[offer.Member].Device);
        var retry = ShareRules.RetryOf(_share!, offer.Member);
        try
        {
            if (IsWithdrawn(offer, command))
            {
                return await device.WithdrawChangeAsync(WithdrawalOf(offer, command) with { Retry = retry });
            }

            // Also after a pause, with the epoch of its permit: a device that has not got the offer refuses it then. While no window is
            // open, and when its time is over, it is asked what became of the offer; one that has not got it gives the permit back.
            var now = _clock.GetUtcNow();
            return !OfferAsks.MayOffer(offer, command.Timers, now) || !OfferWindow.IsOpen(command.Windows, now)
                ? await device.ExpireChangeAsync(new ExpireChange(_rollout, command.InProgressTimeout, command.UndeliveredTimeout)
                {
                    Retry = retry,
                    InProgressPolicy = command.InProgressPolicy,
                    UndeliveredPolicy = command.UndeliveredPolicy,
                    IsCancelled = IsCancelling(command),
                })
                : await device.OfferAsync(OfferOf(command.Image, command.Settings, command.AllowTrackChange, offer.Epoch, retry) with
                {
                    SettlesWithin = command.InProgressTimeout,
                    FirstOfferedAt = offer.FirstOfferedAt,
                    Rank = command.Rank,
                    Path = command.Path,
                    InstallWindows = command.InstallWindows,
                    KeepsNewer = command.KeepsNewer,
                });
        }
        catch (Exception fault)
        {
            LogOfferUnknown(fault, _rollout.Value, _members.Points[offer.Member].Device.Value);
            NoteSilence(offer);
            return null;
        }
    }

    /// <summary>Why a member is left out is said by its device alone, and asked for when the rollout is over.</summary>
    private void AddSkip(ImmutableArray<DomainEvent>.Builder facts, OpenOffer offer, OfferReply reply)
    {
        if (reply is { Status: OfferStatus.Closed, Outcome: ChangeOutcome.Skipped })
        {
            facts.Add(new RolloutMemberSkipped(_rollout, _members!.Points[offer.Member].Device, reply.Reason));
        }
    }

    private DomainEvent GivenUp(int member, TimeoutPolicy policy)
    {
        var device = _members!.Points[member].Device;
        return policy == TimeoutPolicy.LeaveOut
            ? new RolloutMemberSkipped(_rollout, device, ChangeTimers.OfferUndelivered)
            : new RolloutMemberTimedOut(_rollout, device);
    }

    private RolloutShare Take(RolloutShare share, OpenOffer offer, OfferReply reply, RetryPolicy? retries)
    {
        var wave = _members!.Waves[offer.Member];
        var now = _clock.GetUtcNow();
        switch (reply.Status)
        {
            case OfferStatus.WaitingOffline:
                _members.Correct(offer.Member, MemberReach.Offline);
                return Release(share, offer, reply);
            case OfferStatus.WaitingBusy:
                _members.Correct(offer.Member, MemberReach.Busy, reply.AskAgainAt);
                return Release(share, offer, reply);
            case OfferStatus.Fenced:
                return Release(share, offer, reply);
            case OfferStatus.Closed:
                return Close(share, offer.Member, wave, reply, now, retries);
            default:
                throw new UnreachableException($"A device answered an offer with {reply.Status}.");
        }
    }

    /// <summary>The device has no offer, and what the feed may still say of those before is late.</summary>
    private static RolloutShare Release(RolloutShare share, OpenOffer offer, OfferReply reply) =>
        OfferGenerations.Pass(ShareRules.Release(share, offer.Member), offer.Member, reply.Generation);

    private RolloutShare Close(RolloutShare share, int member, byte wave, OfferReply reply, DateTimeOffset now, RetryPolicy? retries)
    {
        // Without a time nothing ended at the device: it is skipped, removed or free, and the attempt is the one that it was asked about.
        var retry = reply.EndedAt is null ? ShareRules.RetryOf(share, member) : reply.Retry;
        var end = new MemberOutcome(reply.Outcome, retry, reply.Reason, reply.EndedAt ?? now)
        {
            WasMade = reply.EndedAt is not null,
            Generation = reply.EndedAt is null ? 0 : reply.Generation,
        };
        var adopted = OfferGenerations.Adopt(ShareRules.Adopt(share, member, retry), member, reply.Generation);
        return OfferGenerations.Pass(
            ShareRules.Close(adopted, member, wave, EndOf(member, OfferGenerations.Judge(share, member, end), retries)),
            member,
            reply.Generation);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: what became of the offer to {DeviceId} is not known")]
    private partial void LogOfferUnknown(Exception fault, string rolloutId, string deviceId);
}
