using System.Diagnostics;
using Muster.Contracts.Rollouts;

namespace Muster.InventoryLoad;

/// <summary>How often shares of rollouts are asked.</summary>
internal sealed class AskedShares : IIncomingGrainCallFilter
{
    private long _calls;

    public long Calls => Interlocked.Read(ref _calls);

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod?.DeclaringType == typeof(IRolloutPartitionGrain))
        {
            Interlocked.Increment(ref _calls);
        }

        return context.Invoke();
    }
}

/// <summary>What a silo does per second.</summary>
internal sealed class QuietRollouts(AskedShares asked)
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(40);

    /// <summary>Of whole cores, and questions to shares, per second.</summary>
    public async Task<(double Cores, double Questions)> MeasureAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Settling, cancellationToken);
        var (begun, calls) = (Stopwatch.GetTimestamp(), asked.Calls);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.Delay(Watched, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return (
            (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds / seconds,
            (asked.Calls - calls) / seconds);
    }
}
