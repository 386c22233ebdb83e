using Muster.Contracts.Devices;
using Muster.Contracts.Trust;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Trust;

namespace Muster.Grains.Devices;

/// <summary>What is suspected of the device; the rules are <see cref="SuspicionRules"/> and <see cref="BootAlternation"/>.</summary>
internal sealed partial class DeviceGrain : IDeviceTrustGrain
{
    /// <summary>Null while no hello came back to an earlier boot: nearly always.</summary>
    private BootAlternation? _alternation;

    private KeyOwnerQuestions? _owners;

    public async Task SuspectAsync(SuspectClone command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Current is not { } device || !SuspicionRules.IsNews(device, command.Pair))
        {
            return;
        }

        var action = (await _services.Trust.GetRulesAsync(_tenant)).Of(command.Kind);
        var askedAt = _services.Clock.GetTimestamp();
        var isPermitted = SuspicionRules.NeedsPermit(device, action)
            && await GrainFactory.GetTrust(_tenant).TakeQuarantineAsync(_id)
            && _services.Clock.GetElapsedTime(askedAt) < QuarantineBudget.UseWithin;
        var now = _services.Clock.GetUtcNow();
        var decision = SuspicionRules.Suspect(device, command.Kind, command.Detail, action, isPermitted, now, command.Pair);
        await CommitAsync(decision.Next, decision.Events, Actor.Rule($"trust.{command.Kind}"), now);
        await PushWaitingAsync();
    }

    public async Task<DeviceReply> ResolveAsync(ResolveSuspicion command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var rules = await _services.Trust.GetRulesAsync(_tenant);
        var reply = await DecideAsync(command.Actor, (device, now) => command.IsConfirmed
            ? SuspicionRules.Confirm(device, command.Actor, command.Cause, now)
            : SuspicionRules.Dismiss(device, rules, command.Actor, command.Cause, now));
        if (reply.Error is null)
        {
            _alternation = null;
            await PushWaitingAsync();
        }

        return reply;
    }

    /// <summary>A hello was acknowledged: whether it came back to an earlier boot is counted here, without a commit.</summary>
    private async Task HearBootAsync(ImmutableArray<BootSequences> known, string boot)
    {
        _alternation = BootAlternation.Hear(_alternation, known, boot, _services.Clock.GetUtcNow());
        if (_alternation is { IsSuspicious: true })
        {
            await SuspectAsync(new SuspectClone(
                SuspicionKind.AlternatingBoots,
                $"Hellos came back to an earlier boot {BootAlternation.ReturnsMin} times within ten minutes, last to '{boot}'."));
        }
    }

    /// <summary>
    /// Somebody was refused, for whatever comes first: whether its key is another device's is another question. The handshake has proved
    /// that it has the key; the word of a broker proves none, and the keys on record are the device's own.
    /// </summary>
    private void TellOwnerOf(DeviceIdentity identity)
    {
        if (!identity.IsVouched && Current?.Identity?.Key != identity.Key && !IsOperational(identity.Key))
        {
            TellOwnerOf(identity.Key);
        }
    }

    private bool IsOperational(Sha256Hash key)
    {
        foreach (var certificate in Current?.Certificates ?? [])
        {
            if (certificate.Key == key)
            {
                return true;
            }
        }

        return false;
    }

    private void TellOwnerOf(Sha256Hash key)
    {
        var minute = _services.Clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute;
        _owners = _owners?.Minute == minute ? _owners : new KeyOwnerQuestions(minute);
        _ = _owners.AskAsync(key.ToString(), TellOwnerAsync);
    }

    /// <summary>
    /// Whoever owns the key hears that another serial presented it. Not awaited: two devices could wait for each other, and the refusal
    /// stands without it. What is lost here comes back with an attempt in another minute. The same serial with its own key at another
    /// tenant is a device that was sent to the wrong name, and nobody's clone.
    /// </summary>
    private async Task TellOwnerAsync(string keySha256)
    {
        try
        {
            if (await GrainFactory.GetKey(keySha256).GetOwnerAsync() is { } owner && owner.Device != _id)
            {
                var who = owner.Tenant == _tenant ? $"The serial '{_id}'" : "A serial of another tenant";
                await GrainFactory.GetDeviceTrust(owner.Tenant, owner.Device).SuspectAsync(
                    new SuspectClone(SuspicionKind.KeyUnderTwoSerials, $"{who} presented this device's key.")
                    {
                        Pair = SuspectedPair.Of(_tenant, _id, Sha256Hash.Parse(keySha256)),
                    });
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            LogPushFailed(fault, _id.Value, nameof(SuspectClone));
        }
    }
}
