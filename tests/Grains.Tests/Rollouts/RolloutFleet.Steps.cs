using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Devices that have steps to take.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>How many steps are between what these devices run and the image.</summary>
    public Dictionary<string, int> StepsLeft { get; } = [];

    /// <summary>These devices took a step of which the feed does not tell, and are busy.</summary>
    public HashSet<string> SteppedUnheard { get; } = [];

    /// <summary>The grains of these devices are in a silo of an earlier version, which does not say which step is offered.</summary>
    public HashSet<string> Wordless { get; } = [];

    /// <summary>How often the device was asked and was not free.</summary>
    public int CountAsked(string key)
    {
        lock (_gate)
        {
            return Asked.GetValueOrDefault(key);
        }
    }

    /// <summary>The image of the device's next step; null where there is none.</summary>
    private string? StepOf(string key, OfferChange command) =>
        !WayBack.Is(command.Retry) && StepsLeft.TryGetValue(key, out var left) && left > 0 && command.Path.Length >= left
            ? command.Path[^left].Digest
            : null;

    /// <summary>Which step the device says that it is offered.</summary>
    private string? SaidStepOf(Unit unit) => Wordless.Contains(DeviceKey.Of(TenantId.Default, unit.Id)) ? null : unit.Step;

    /// <summary>A boot that confirms what was offered is a step as long as there are some.</summary>
    private ChangeOutcome Confirm(string key, Unit unit, ChangeOutcome outcome)
    {
        if (outcome != ChangeOutcome.Succeeded || WayBack.Is(unit.Retry) || StepsLeft.GetValueOrDefault(key) == 0)
        {
            return outcome;
        }

        StepsLeft[key]--;
        return ChangeOutcome.StepTaken;
    }
}
