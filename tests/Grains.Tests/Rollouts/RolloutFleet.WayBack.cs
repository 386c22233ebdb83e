using System.Collections.Immutable;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What devices run, and whether they can go back.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>What these devices ran before is not published any more.</summary>
    public HashSet<string> WithoutWayBack { get; } = [];

    /// <summary>These devices may still install what their rollout has ended with.</summary>
    public Dictionary<string, DateTimeOffset> Unsettled { get; } = [];

    /// <summary>How often they were asked while they might.</summary>
    public Dictionary<string, int> Asked { get; } = [];

    /// <summary>The next order to take an offer of these devices back is not answered: the fault is behind the commit.</summary>
    public HashSet<string> DeafToTakeBack { get; } = [];

    /// <summary>Happens once, between the order to take an offer of the device back and the device's own look at it.</summary>
    public Dictionary<string, Action> BeforeTakeBack { get; } = [];

    /// <summary>The device boots into what it was offered last, whatever became of the offer.</summary>
    public void BootLate(string key)
    {
        lock (_gate)
        {
            Unsettled.Remove(key);
            _units[key].Running = _units[key].Target;
        }
    }

    /// <summary>What the device runs.</summary>
    public string RunningOf(string key)
    {
        lock (_gate)
        {
            return _units[key].Running;
        }
    }

    /// <summary>The devices run this image from now on.</summary>
    public void Run(ImmutableArray<string> keys, string digest)
    {
        lock (_gate)
        {
            foreach (var key in keys)
            {
                _units[key].Running = digest;
            }
        }
    }

    public ImmutableArray<string> KeysOf(string site)
    {
        lock (_gate)
        {
            return [.. _units.Where(unit => unit.Value.Site == site).Select(unit => unit.Key)];
        }
    }

    /// <summary>The device takes the offer back unless it was delivered.</summary>
    public OfferReply TakeBack(string key, WithdrawChange command)
    {
        lock (_gate)
        {
            var unit = _units[key];
            if (Dead.Contains(key))
            {
                throw new StoreUnavailableException("The device's record cannot be read, on purpose.");
            }

            if (BeforeTakeBack.Remove(key, out var happens))
            {
                happens();
            }

            if (unit.Change != command.Rollout)
            {
                return unit.Last is { } last && last.Rollout == command.Rollout && last.Retry == command.Retry
                    ? Closed(last)
                    : new OfferReply(OfferStatus.Closed, ChangeOutcome.Withdrawn, "NEVER_OFFERED", null);
            }

            if (Delivered.TryGetValue(key, out var at))
            {
                return new OfferReply(OfferStatus.Offered, default, "", at);
            }

            if (command.RevokedStep.Length > 0 && command.RevokedStep != unit.Step)
            {
                return Open(unit);
            }

            var isForGood = command.Reason == WayBack.NoWayBack || command.RevokedStep.Length > 0;
            Close(key, unit, isForGood ? ChangeOutcome.Skipped : ChangeOutcome.Withdrawn, command.Reason);
            return DeafToTakeBack.Remove(key) ? throw new StoreUnavailableException("The answer is lost on purpose.") : Closed(unit.Last!);
        }
    }

    private OfferReply? RefusalOf(string key, Unit unit, OfferChange command)
    {
        if (WayBack.Is(command.Retry) && Unsettled.TryGetValue(key, out var settlesAt) && clock.GetUtcNow() < settlesAt)
        {
            Asked[key] = Asked.GetValueOrDefault(key) + 1;
            return new OfferReply(OfferStatus.WaitingBusy, default, "", null) { AskAgainAt = settlesAt };
        }

        return ObstacleOf(key, unit, command) is { } reason
            ? new OfferReply(OfferStatus.Closed, ChangeOutcome.Skipped, reason, null)
            : null;
    }

    private string? ObstacleOf(string key, Unit unit, OfferChange command) => WayBack.Is(command.Retry)
        ? unit.Running != command.Target.Digest ? WayBack.NothingToRollBack : WithoutWayBack.Contains(key) ? WayBack.NoWayBack : null
        : command.KeepsNewer && ApprovalPolicy.IsDowngrade(unit.OsVersion, command.Target.Version)
            ? RolloutErrors.DowngradeNotApprovedReason
        : StepOf(key, command) is { } step && Revoked.ContainsKey(step) ? ImageConditions.StepRequired
        : Unfit.GetValueOrDefault(key);
}
