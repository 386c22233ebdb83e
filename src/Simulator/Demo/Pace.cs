namespace Muster.Simulator.Demo;

/// <summary>How long a run waits. Every wait is bounded; once one has run out, the others do not repeat it.</summary>
internal sealed class Pace(TimeSpan patience, int devices, TimeProvider time)
{
    /// <summary>A look counts a fleet of some hundred devices within milliseconds, a large one takes longer.</summary>
    private const int SmallFleet = 500;

    /// <summary>Calls under way at once: more than a host with few cores answers at a time, so that it never waits for us.</summary>
    public const int CallsMax = 48;

    private static readonly TimeSpan PatienceAfterTimeout = TimeSpan.FromSeconds(10);

    private bool _hasRunOut;

    /// <summary>A step may take a minute, and a tenth of a second for each device.</summary>
    public static TimeSpan PatienceFor(int devices) => TimeSpan.FromSeconds(60 + (devices / 10.0));

    private TimeSpan Poll => TimeSpan.FromMilliseconds(devices <= SmallFleet ? 200 : 1000);

    /// <summary>Reads until the value is there, or nothing will change it any more, or patience runs out.</summary>
    public async Task<long> UntilAsync(
        Func<Task<long>> read, long expected, CancellationToken cancellationToken, Func<bool>? isSettled = null)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var wasSettled = isSettled?.Invoke() ?? false;
            var value = await read();
            if (value >= expected || wasSettled)
            {
                return value;
            }

            if (time.GetElapsedTime(started) > (_hasRunOut ? PatienceAfterTimeout : patience))
            {
                _hasRunOut = true;
                return value;
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    public static Task ForEachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task> call, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            items,
            new ParallelOptions { MaxDegreeOfParallelism = CallsMax, CancellationToken = cancellationToken },
            async (item, cancel) => await call(item, cancel));
}
