using Muster.Simulator.Fleet;

namespace Muster.Simulator.Demo;

/// <summary>What all steps of a scenario share.</summary>
internal sealed record Ground(
    ScenarioPlan Plan, Installation Site, FleetWitness Witness, IStage Stage, Findings Findings)
{
    public const string Parent = "tenants/default";

    public const string Model = "P3265-V";

    public required OperatorClient Requester { get; init; }

    public required OperatorClient Approver { get; init; }

    public required Pace Pace { get; init; }

    public required Tally Tally { get; init; }

    public required TimeProvider Time { get; init; }

    public int Devices => Plan.Devices;

    public IReadOnlyList<string> Serials { get; } = [.. Enumerable.Range(0, Plan.Devices).Select(FleetOptions.Serial)];

    /// <summary>Devices whose warranty is over: a tenth, and at least two, so that one is kept and one goes.</summary>
    public IReadOnlyList<string> OutOfWarranty { get; } =
        [.. Enumerable.Range(0, Plan.Devices).Reverse().Take(Math.Max(2, Plan.Devices / 10)).Select(FleetOptions.Serial)];

    /// <summary>The one of them whose decommissioning the review proposes.</summary>
    public string Reviewed => OutOfWarranty[0];

    /// <summary>Devices that are decommissioned: a tenth, and at least twenty; among them the reviewed one.</summary>
    public IReadOnlyList<string> Retired { get; } =
    [
        .. Enumerable.Range(0, Math.Min(Math.Max(20, Plan.Devices / 10), Plan.Devices) - 1).Select(FleetOptions.Serial),
        FleetOptions.Serial(Plan.Devices - 1),
    ];

    /// <summary>Waits for a count of the API and requires it.</summary>
    public async Task<long> CountAsync(string check, string what, string filter, long expected, CancellationToken cancellationToken)
    {
        var counted = await Pace.UntilAsync(() => Requester.CountAsync(filter, cancellationToken), expected, cancellationToken);
        Findings.Require(check, what, expected, counted);
        return counted;
    }

    /// <summary>Waits until the fleet's own log says of as many devices what the API says, and requires it.</summary>
    public async Task CompareAsync(
        string check, string what, long counted, Func<DeviceStory, bool> isSo, CancellationToken cancellationToken)
    {
        var told = await Pace.UntilAsync(() => Task.FromResult(Witness.Count(Serials, isSo)), counted, cancellationToken);
        Findings.Require(check, $"{what}, by the fleet's own log", counted, told);
    }
}
