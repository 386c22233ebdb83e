#if EMBEDDED_STORE
using Muster.EmbeddedStore;
using Muster.Storage;

namespace Muster.Silo.Hosting;

/// <summary>Waits for the embedded store's shared log commit before anything is acknowledged.</summary>
internal sealed class EmbeddedStoreBarrier(EmbeddedStoreServer server) : IDurabilityBarrier
{
    public Task PassAsync(CancellationToken cancellationToken) => server.CommitAsync(cancellationToken);
}
#endif
