using Microsoft.Extensions.Options;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>Counts the watches that run, of all operators and of each.</summary>
internal sealed class WatchSlots(IOptions<OperatorsOptions> options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceId, int> _running = [];
    private int _all;

    /// <summary>A place for one watch, given back when it is disposed.</summary>
    public IDisposable Take(Caller caller)
    {
        lock (_gate)
        {
            var own = _running.GetValueOrDefault(caller.Operator);
            if (own >= options.Value.WatchersPerOperatorMax)
            {
                throw FleetErrors.LimitReached("watches of one operator", options.Value.WatchersPerOperatorMax);
            }

            if (_all >= options.Value.WatchersMax)
            {
                throw FleetErrors.LimitReached("watches", options.Value.WatchersMax);
            }

            _running[caller.Operator] = own + 1;
            _all++;
        }

        return new Slot(this, caller.Operator);
    }

    private void Return(ResourceId caller)
    {
        lock (_gate)
        {
            _all--;
            if (--_running[caller] == 0)
            {
                _running.Remove(caller);
            }
        }
    }

    private sealed class Slot(WatchSlots owner, ResourceId caller) : IDisposable
    {
        private bool _returned;

        public void Dispose()
        {
            if (!_returned)
            {
                _returned = true;
                owner.Return(caller);
            }
        }
    }
}
