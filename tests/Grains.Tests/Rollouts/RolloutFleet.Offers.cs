using System.Collections.Concurrent;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What was offered.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>All offers that were made.</summary>
    public ConcurrentQueue<OfferChange> Offers { get; } = [];

    /// <summary>Behind the generation that took the last one back.</summary>
    private void AppendOffer(string key, Unit unit, OfferChange command)
    {
        var fact = new ChangeOffered(command.Rollout, command.Epoch, unit.Generation + 2, command.Target.Digest)
        {
            Retry = command.Retry,
            FirstOfferedAt = command.FirstOfferedAt,
        };
        var isAnswerLost = Store.Meet($"offer {key}");
        Append(key, fact,
        [
            new Fence(RolloutKey.FenceOf(TenantId.Default, command.Rollout), command.Epoch),
            new Fence(ImageKey.FenceOf(TenantId.Default, command.Target.Digest), 0),
        ]);
        if (isAnswerLost)
        {
            Deaf.Add(key);
        }
    }

    /// <summary>Which image the device is told.</summary>
    private void Tell(string key, Unit unit, OfferChange command)
    {
        (unit.Target, unit.Previous) = WayBack.Is(command.Retry)
            ? (unit.Previous, command.Target.Digest)
            : (command.Target.Digest, unit.Running);
        unit.Step = StepOf(key, command);
    }

    private bool IsOver(string key, ExpireChange command) => new ChangeTimers(command.InProgressMax, command.UndeliveredMax)
    {
        InProgressPolicy = command.InProgressPolicy,
        UndeliveredPolicy = command.UndeliveredPolicy,
    }.IsOver(OfferedAt[key], Delivered.TryGetValue(key, out var at) ? at : null, installsSince: null, clock.GetUtcNow());

    private OfferReply Open(Unit unit) => new(OfferStatus.Offered, default, "", null)
    {
        Retry = unit.Retry,
        Generation = unit.Generation,
        ChosenDigest = WayBack.Is(unit.Retry) ? unit.Target : SaidStepOf(unit),
    };
}
