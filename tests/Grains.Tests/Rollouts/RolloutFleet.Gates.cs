using System.Collections.Concurrent;
using Muster.Contracts.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Offers that are on their way for a while.</summary>
internal sealed partial class RolloutFleet
{
    private readonly ConcurrentDictionary<string, OfferGate> _gates = [];

    /// <summary>From now on offers to these devices wait, whoever makes them, until the gate is opened.</summary>
    public OfferGate Hold(IEnumerable<string> keys)
    {
        var gate = new OfferGate();
        foreach (var key in keys)
        {
            _gates[key] = gate;
        }

        return gate;
    }

    /// <summary>Offers that come from now on need not wait; those at the gate still do.</summary>
    public void LetNewOnesThrough(IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            _gates.TryRemove(key, out _);
        }
    }

    public async Task<OfferReply> OfferOnceLetThroughAsync(string key, OfferChange command)
    {
        if (_gates.TryGetValue(key, out var gate))
        {
            await gate.PassAsync();
        }

        return await OfferInTurnAsync(key, command);
    }
}

/// <summary>Where offers wait.</summary>
internal sealed class OfferGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _arrived;

    /// <summary>How many offers came to it.</summary>
    public int Arrived => Volatile.Read(ref _arrived);

    public void Open() => _opened.TrySetResult();

    public Task PassAsync()
    {
        Interlocked.Increment(ref _arrived);
        return _opened.Task;
    }
}
