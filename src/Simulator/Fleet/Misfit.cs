using System.Collections.Immutable;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Fleet;

/// <summary>A device that has to be refused at its enrolment.</summary>
/// <param name="Serial">Of a block of its own, apart from the fleet's.</param>
/// <param name="Reason">The refusal that it has to be given.</param>
/// <param name="Traits">How its hello differs.</param>
internal sealed record Misfit(string Serial, string Reason, DeviceTraits Traits)
{
    private const string OldVersion = "11.0.1";

    /// <summary>On the delivery list, but not for one.</summary>
    public bool IsExpected { get; init; } = true;

    private bool FactoryDefault { get; init; } = true;

    private bool IsOld { get; init; }

    /// <summary>One of each kind.</summary>
    public static ImmutableArray<Misfit> All { get; } =
    [
        new("ACCC8EFF0000", "DEVICE_NOT_EXPECTED", DeviceTraits.Sound) { IsExpected = false },
        new("ACCC8EFF0001", "NOT_FACTORY_DEFAULT", DeviceTraits.Sound) { FactoryDefault = false },
        new("ACCC8EFF0002", "SECURE_BOOT_MISSING", new DeviceTraits { SecureBoot = false }),
        new("ACCC8EFF0003", "OS_BELOW_FLOOR", DeviceTraits.Sound) { IsOld = true },
    ];

    public DeviceMemory FirstMemory(FleetOptions options) =>
        new(Serial, options.Model, IsOld ? OldVersion : options.OsVersion) { FactoryDefault = FactoryDefault };
}
