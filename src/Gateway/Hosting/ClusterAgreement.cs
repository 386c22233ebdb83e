using Muster.Contracts.Commit;
using Muster.Contracts.Installation;
using Muster.Gateway.Grpc;
using Muster.ServiceDefaults;

namespace Muster.Gateway.Hosting;

/// <summary>
/// Before the listeners open: this gateway and the silos agree on the number of partitions. With another number it would tell presence
/// to the wrong partitions, and nobody would notice.
/// </summary>
internal sealed class ClusterAgreement(IGrainFactory grains, PartitionMap partitions, TimeProvider clock) : IHostedService
{
    /// <summary>A silo that has just joined may refuse for a moment.</summary>
    private const int AttemptsMax = 10;

    private static readonly TimeSpan AttemptInterval = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var description = await grains.GetInstallation().DescribeAsync();
                if (description.Partitions != partitions.Count)
                {
                    throw new StartRefusedException(
                        $"The silos have {description.Partitions} partitions and this gateway is configured for {partitions.Count}: set "
                        + "Muster:Store:Partitions to the same number everywhere.");
                }

                return;
            }
            catch (Exception fault) when (attempt < AttemptsMax && ErrorInterceptor.IsPassing(fault))
            {
                await Task.Delay(AttemptInterval, clock, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
