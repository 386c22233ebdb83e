using Muster.Gateway.Grpc;

namespace Muster.Gateway.Deliveries;

/// <summary>Counts the imports that run.</summary>
internal sealed class ImportSlots
{
    /// <summary>One import fills the pipeline to the store; a second one lets nobody wait for a large list, and more only share.</summary>
    public const int ImportsMax = 2;

    private int _running;

    /// <summary>A place for one import, given back when it is disposed.</summary>
    public IDisposable Take()
    {
        if (Interlocked.Increment(ref _running) > ImportsMax)
        {
            Interlocked.Decrement(ref _running);
            throw FleetErrors.LimitReached("imports of deliveries", ImportsMax);
        }

        return new Slot(this);
    }

    private sealed class Slot(ImportSlots owner) : IDisposable
    {
        private int _returned;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                Interlocked.Decrement(ref owner._running);
            }
        }
    }
}
