using Muster.Contracts.Gateways;
using Muster.Domain.Trust;

namespace Muster.Grains.Devices;

/// <summary>
/// What the device is told. A push may be lost: what waits for an answer is in the record and is pushed again, on every hello and by a
/// timer with back-off while the session lives.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>A device that has just connected says hello first, and is answered then; this is for one that does not.</summary>
    private static readonly TimeSpan FirstPushDelay = TimeSpan.FromSeconds(2);

    /// <summary>Long enough for a slow link to answer before it is told again.</summary>
    private static readonly TimeSpan PushInterval = TimeSpan.FromSeconds(5);

    /// <summary>An offer may wait for hours; twelve pushes an hour cost nothing.</summary>
    private static readonly TimeSpan PushIntervalMax = TimeSpan.FromMinutes(5);

    /// <summary>By then every gateway has told all of its sessions to every partition, also to one that began anew.</summary>
    private static readonly TimeSpan PresenceAge = TimeSpan.FromSeconds(30);

    private IGrainTimer? _timer;
    private TimeSpan _interval = PushInterval;

    /// <summary>True while the device has not answered what it was told, or is to be told it again.</summary>
    private bool IsAwaited => IsOfferAwaited || IsCommandAwaited || IsInstallAwaited;

    /// <summary>A device that refuses to give its change up has answered, and is not asked again.</summary>
    private bool IsOfferAwaited =>
        Current is { Change: { IsRecallRefused: false } change } && (change.DeliveredAt is null || change.IsRecalled);

    private bool IsCommandAwaited => Current is { Command: { } command } && _services.Clock.GetUtcNow() < command.ExpiresAt;

    /// <summary>After a hello: the desired state unless the device has reached it, then the command that waits.</summary>
    private async Task TellAsync()
    {
        if (Current is not { } device)
        {
            return;
        }

        if ((device.Desired.Generation > device.GenerationReached || device.Change is not null)
            && device.Change is not { IsRecallRefused: true }
            && TrustRestrictions.MaySend(device, device.Desired))
        {
            await PushAsync(MessageOf(device));
        }

        if (IsCommandAwaited)
        {
            await PushAsync(new CommandMessage(device.Command!));
        }

        _interval = PushInterval;
        ExpectAnswer(_interval);
    }

    /// <summary>What changed for the device goes out at once: its desired state and its command.</summary>
    private async Task PushWaitingAsync()
    {
        if (Current is { } device && device.Desired.Generation > device.GenerationReached
            && TrustRestrictions.MaySend(device, device.Desired))
        {
            await PushAsync(MessageOf(device));
        }

        if (IsCommandAwaited)
        {
            await PushAsync(new CommandMessage(Current!.Command!));
        }

        _interval = PushInterval;
        ExpectAnswer(_interval);
    }

    /// <summary>Looks again after this time whether the device has answered.</summary>
    private void ExpectAnswer(TimeSpan delay)
    {
        if (!IsAwaited)
        {
            return;
        }

        // An offer that found no connection is looked after when its time is over, and not when a push would have its turn.
        delay = IsHere ? UntilDue(delay) : IsOfferAwaited || IsCommandAwaited ? delay : UntilRenewal(delay);
        if (_timer is null)
        {
            // Only while something waits: an idle fleet has no timers.
            _timer = this.RegisterGrainTimer(
                OnTimerAsync, new GrainTimerCreationOptions(delay, Timeout.InfiniteTimeSpan) { KeepAlive = true });
        }
        else
        {
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task OnTimerAsync(CancellationToken cancellationToken)
    {
        await GiveBackAsync();
        if (!IsAwaited || Current is not { } device || !await FindSessionAsync(device.Epoch))
        {
            WaitForSession();
            return;
        }

        if (IsOfferAwaited || IsRenewalDue)
        {
            await PushAsync(MessageOf(device));
        }

        if (IsCommandAwaited)
        {
            await PushAsync(new CommandMessage(device.Command!));
        }

        _interval = _interval * 2 < PushIntervalMax ? _interval * 2 : PushIntervalMax;
        ExpectAnswer(_interval);
    }

    private void WaitForSession()
    {
        if (IsAwaited && (_sessionEpoch == 0 || IsMissed) && _interval < PresenceAge)
        {
            // Perhaps nobody knows yet that it is connected.
            _interval *= 2;
            ExpectAnswer(_interval);
        }
        else if (IsHere)
        {
            ExpectAnswer(_interval);
        }
        else
        {
            // Answered, or gone: the next session starts it again.
            _timer?.Dispose();
            _timer = null;
        }
    }

    private async Task PushAsync(DownMessage message)
    {
        try
        {
            if (await FindSessionAsync(Current?.Epoch ?? 0))
            {
                await SendAsync(message);
                NoteSent(message);
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // What is committed stays so: the device repeats its message, or is told again.
            LogPushFailed(fault, _id.Value, message.GetType().Name);
        }
    }

    private async Task CloseAllAsync()
    {
        try
        {
            await CloseSessionsAsync();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Every message and every connection of a tombstone is refused anyway.
            LogPushFailed(fault, _id.Value, nameof(CloseSession));
        }
    }
}
