using Muster.Contracts.Installation;
using Muster.ServiceDefaults.Health;

namespace Muster.Gateway.Hosting;

/// <summary>A gateway can work while a silo answers it and reaches the store.</summary>
internal sealed class GatewayReadiness(IGrainFactory grains) : IReadinessCheck
{
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        await grains.GetInstallation().CheckStoreAsync();
        return null;
    }
}
