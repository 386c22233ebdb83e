namespace Muster.Domain.Rollouts;

/// <summary>What has to be reached before a growing rate takes its next step.</summary>
public enum RateStep
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Devices that were offered the change.</summary>
    Offered = 1,

    /// <summary>Devices that succeeded.</summary>
    Succeeded = 2,
}

/// <summary>
/// An exponential rate (rollouts.md 11): the base rate is multiplied by the factor each time another <paramref name="Devices"/> devices
/// were offered the change, or succeeded. With base 50, factor 2 and 1,000 offered (the published table of AWS IoT Jobs) it is 50 a minute
/// up to 1,000 devices, 100 to 2,000, 200 to 3,000.
/// </summary>
/// <param name="FactorTenths">The factor in tenths, 11 to 50.</param>
/// <param name="Step">What is counted.</param>
/// <param name="Devices">How many of them are one step, from 1.</param>
/// <param name="PerMinuteMax">The rate never grows above this; at least the base rate.</param>
[GenerateSerializer, Immutable, Alias("muster.rate-growth")]
public sealed record RateGrowth(
    [property: Id(0)] int FactorTenths,
    [property: Id(1)] RateStep Step,
    [property: Id(2)] int Devices,
    [property: Id(3)] int PerMinuteMax)
{
    /// <summary>1.1, as AWS IoT Jobs has it: below it a rate is constant for all that anybody notices.</summary>
    public const int FactorTenthsMin = 11;

    /// <summary>5.0, as AWS IoT Jobs has it: a step to more than that is a second rollout.</summary>
    public const int FactorTenthsMax = 50;

    private const int Tenths = 10;

    /// <summary>The rate after so many whole steps: rounded down, because a rate is a promise about the rest.</summary>
    public int After(int perMinute, long reached)
    {
        var rate = (decimal)perMinute;
        for (var left = reached / Devices; left > 0 && rate < PerMinuteMax; left--)
        {
            rate = rate * FactorTenths / Tenths;
        }

        return (int)Math.Min(rate, PerMinuteMax);
    }
}
