using Muster.Contracts.Installation;
using Muster.Gateway.Identity;
using Muster.ServiceDefaults.Health;

namespace Muster.Gateway.Hosting;

/// <summary>A gateway can work while a silo answers it and reaches the store, and it knows whom it may believe.</summary>
internal sealed class GatewayReadiness(IGrainFactory grains, DeviceTrust trust) : IReadinessCheck
{
    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        await grains.GetInstallation().CheckStoreAsync();
        return trust.FindProblem();
    }
}
