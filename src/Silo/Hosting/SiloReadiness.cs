using Muster.Contracts.Commit;
using Muster.Gateway.Identity;
using Muster.ServiceDefaults.Health;

namespace Muster.Silo.Hosting;

/// <summary>
/// A silo can work while it is an active member of its cluster and reads from the store; with an edge of its own, while that knows whom
/// it may believe.
/// </summary>
internal sealed class SiloReadiness(ISiloStatusOracle silos, IFeedReader feed, DeviceTrust? trust = null) : IReadinessCheck
{
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        if (silos.CurrentStatus != SiloStatus.Active)
        {
            return $"This silo is {silos.CurrentStatus}.";
        }

        await feed.GetHeadAsync(0, cancellationToken);
        return trust?.FindProblem();
    }
}
