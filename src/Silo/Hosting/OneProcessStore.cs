#if EMBEDDED_STORE
using Muster.EmbeddedStore;
using Muster.ServiceDefaults;

namespace Muster.Silo.Hosting;

/// <summary>The embedded store of one process, in its data folder.</summary>
internal static class OneProcessStore
{
    public static EmbeddedStoreServer Open(string dataFolder)
    {
        try
        {
            return EmbeddedStoreServer.Start(Path.Combine(dataFolder, "store"));
        }
        catch (StoreInUseException inUse)
        {
            throw new StartRefusedException(
                $"{inUse.Message} Stop the other Muster, or give this one a folder by Muster:Data:Directory.", inUse);
        }
    }
}
#endif
