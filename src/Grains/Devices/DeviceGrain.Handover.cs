using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>
/// Offers of which no message was handed to a connection go back (rollouts.md 8). The timer that pushes what is not answered looks after
/// them too: whoever waits for one has a timer anyway.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>Of the offer that this activation made last; null for one of which it knows nothing, which counts as handed over.</summary>
    private OfferHandover? _handover;

    /// <summary>There is an offer of which the device was surely told nothing.</summary>
    private bool IsHere => _handover is { } handover && Current is { } device && handover.IsSurelyHere(device);

    public async Task ReturnDeliveryAsync(ReturnDelivery command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.Epoch == _sessionEpoch)
        {
            // Its gateway does not have it: taken up again as soon as anybody speaks of it.
            _isConnected = false;
        }

        if (_handover?.Generation == command.Generation)
        {
            _handover = _handover.Return(command.Sent);
            await GiveBackAsync();
            ExpectAnswer(_interval);
        }
    }

    /// <summary>After a commit: of an offer that the device has named, or that ended, nobody asks any more.</summary>
    private void ForgetHandover()
    {
        if (_handover is { } handover
            && (Current?.Change is not { DeliveredAt: null } change || change.Generation != handover.Generation))
        {
            _handover = null;
        }
    }

    /// <summary>The number of a message with an offer of which the way is known; 0 for all others.</summary>
    private int CountSent(DownMessage message)
    {
        if (message is not DesiredMessage { Desired.Generation: var generation } || _handover?.Generation != generation)
        {
            return 0;
        }

        _handover = _handover.Send();
        return _handover.Sent;
    }

    /// <summary>Takes the offer back when its time to find a connection is over and it surely found none.</summary>
    private async Task GiveBackAsync()
    {
        if (IsHere && _services.Clock.GetUtcNow() >= _handover!.DueAt)
        {
            var change = Current!.Change!;
            var reason = change.IsRecalled ? OfferHandover.CancelledReason : OfferHandover.Reason;
            await TakeBackAsync(change.Rollout, change.Retry, reason);
        }
    }

    /// <summary>How long the timer waits until it looks again.</summary>
    private TimeSpan UntilDue(TimeSpan interval)
    {
        var left = _handover!.DueAt - _services.Clock.GetUtcNow();
        return left < interval ? (left > TimeSpan.Zero ? left : TimeSpan.Zero) : interval;
    }

    private Task<OfferDecision> TakeBackAsync(Domain.ResourceId rollout, int retry, string reason) =>
        TakeBackAsync(rollout, (device, now) => DeviceChanges.TakeBack(device, rollout, retry, reason, now));

    private async Task<OfferDecision> TakeBackAsync(Domain.ResourceId rollout, Func<Device, DateTimeOffset, OfferDecision> decide)
    {
        var now = _services.Clock.GetUtcNow();
        var decision = decide(Current!, now);
        await CommitAsync(decision.Next, decision.Events, RuleOf(rollout), now);
        if (!decision.Events.IsEmpty)
        {
            await PushAsync(new DesiredMessage(decision.Next.Desired));
        }

        return decision;
    }
}
