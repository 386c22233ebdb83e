using System.Collections.Concurrent;
using Muster.Contracts.Commit;

namespace Muster.Grains.Tests.Images;

/// <summary>The fences as they were raised, by name.</summary>
internal sealed class RaisedFences : IFenceWriter
{
    private readonly ConcurrentDictionary<string, (int Partitions, long Value)> _raised = new();

    /// <summary>The next raise is lost.</summary>
    public bool FailNext { get; set; }

    public (int Partitions, long Value)? Of(string fence) => _raised.TryGetValue(fence, out var raised) ? raised : null;

    public Task RaiseAsync(IReadOnlyCollection<int> partitions, string fence, long value, CancellationToken cancellationToken)
    {
        if (FailNext)
        {
            FailNext = false;
            throw new StoreUnavailableException("The fence is lost on purpose.");
        }

        _raised[fence] = (partitions.Distinct().Count(), value);
        return Task.CompletedTask;
    }
}
