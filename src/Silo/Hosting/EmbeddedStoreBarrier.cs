#if EMBEDDED_STORE
using Muster.Contracts.Commit;
using Muster.EmbeddedStore;
using Muster.Storage;

namespace Muster.Silo.Hosting;

/// <summary>Waits for the embedded store's shared log commit before anything is acknowledged.</summary>
internal sealed class EmbeddedStoreBarrier(EmbeddedStoreServer server) : IDurabilityBarrier
{
    public void CheckRoom()
    {
        if (server.FindShortage() is { } shortage)
        {
            throw new StoreFullException(shortage);
        }
    }

    public async Task PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            await server.CommitAsync(cancellationToken);
        }
        catch (Exception fault) when (server.FindShortage() is { } shortage)
        {
            throw new StoreFullException(shortage, fault);
        }
    }
}
#endif
