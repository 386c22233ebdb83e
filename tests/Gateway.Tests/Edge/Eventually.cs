using System.Diagnostics;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Waits for something that another thread is about to do, and says what when it does not.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public static async Task<T> GetAsync<T>(Func<T?> find, string what)
        where T : class
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Timeout)
        {
            if (find() is { } found)
            {
                return found;
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Never happened: {what}.");
    }

    public static Task TrueAsync(Func<bool> condition, string what) => GetAsync(() => condition() ? what : null, what);
}
