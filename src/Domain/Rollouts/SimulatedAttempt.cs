namespace Muster.Domain.Rollouts;

/// <summary>One attempt of a simulated device: the offers of the steps before it, and that of the image.</summary>
/// <param name="Retry">Which: how many ended before it.</param>
/// <param name="StepsLeft">Steps that are before it.</param>
/// <param name="Offers">Of how many offers the attempt consists.</param>
internal readonly record struct SimulatedAttempt(int Retry, int StepsLeft, int Offers)
{
    public static SimulatedAttempt Of(int retry, int steps) => new(retry, steps, steps + 1);

    /// <summary>The step was taken: the next offer of the same attempt.</summary>
    public SimulatedAttempt TakeStep() => this with { StepsLeft = StepsLeft - 1 };

    /// <summary>The attempt after this one begins where the device is.</summary>
    public SimulatedAttempt Next() => Of(Retry + 1, StepsLeft);

    /// <summary>Of those that come to an offer how many it loses, 0 to 100, when the attempt loses so many, and each offer alike.</summary>
    public double PerOffer(double percent) => Offers <= 1 ? percent : 100 * (1 - Math.Pow(1 - (percent / 100), 1.0 / Offers));
}

/// <summary>
/// How many steps are before the members of a run, which are only counts: each that is offered something draws his, until nobody is left.
/// </summary>
internal sealed class StepPool
{
    private readonly int[] _counts;
    private int _left;

    private StepPool(ImmutableArray<int> counts)
    {
        _counts = [.. counts];
        _left = counts.Sum();
    }

    /// <param name="counts">Members by number of steps, from 0; empty where nobody has any.</param>
    public static StepPool? Of(ImmutableArray<int> counts) => counts.Skip(1).Any(count => count > 0) ? new(counts) : null;

    /// <summary>The steps of one of them; 0 when there are no more.</summary>
    public int Draw(SimulatedDevices devices)
    {
        if (_left == 0)
        {
            return 0;
        }

        var (steps, at) = (0, devices.Pick(_left));
        while (at >= _counts[steps])
        {
            at -= _counts[steps++];
        }

        _counts[steps]--;
        _left--;
        return steps;
    }
}
