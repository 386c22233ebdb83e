namespace Muster.Domain.Rollouts;

/// <summary>
/// Shares out the devices of a wave among its strata: in proportion by largest remainder, at least one each while there are as many devices
/// as strata. Integers only, so that every machine comes to the same.
/// </summary>
public static class Apportionment
{
    /// <summary>How many devices each stratum gives; together <paramref name="wanted"/>.</summary>
    /// <param name="strata">How many devices each has, at least one; where all else is equal an earlier one comes first.</param>
    /// <param name="wanted">0 to as many as they have together.</param>
    public static ImmutableArray<int> Of(ImmutableArray<int> strata, int wanted)
    {
        var seats = new int[strata.Length];
        if (wanted < strata.Length)
        {
            foreach (var largest in Enumerable.Range(0, strata.Length).OrderByDescending(i => strata[i]).Take(wanted))
            {
                seats[largest] = 1;
            }

            return [.. seats];
        }

        ShareOut(strata, wanted, seats);
        return [.. seats];
    }

    private static void ShareOut(ImmutableArray<int> strata, int wanted, int[] seats)
    {
        // Whoever is owed less than one device gets one, and the others share what is left: which owes each of them a little less.
        var open = Enumerable.Range(0, strata.Length).ToList();
        var (devices, left) = (strata.Sum(count => (long)count), (long)wanted);
        while (open.FindAll(i => left * strata[i] < devices) is { Count: > 0 } small)
        {
            foreach (var i in small)
            {
                seats[i] = 1;
                left--;
                devices -= strata[i];
                open.Remove(i);
            }
        }

        foreach (var i in open)
        {
            seats[i] = (int)(left * strata[i] / devices);
        }

        var rest = (int)(left - open.Sum(i => (long)seats[i]));
        foreach (var i in open.OrderByDescending(i => left * strata[i] % devices).Take(rest))
        {
            seats[i]++;
        }
    }
}
