using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Silo.Hosting;

/// <summary>
/// Keeps every partition's clock running: at the start, and when another silo died with its share of them. Their reminders would
/// bring them back as well, but up to a minute later, and a rollout would stand still for that long.
/// </summary>
internal sealed partial class PartitionClocks(
    IGrainFactory grains, PartitionMap partitions, ISiloStatusOracle silos, ILocalSiloDetails self, ILogger<PartitionClocks> logger)
    : ISiloStatusListener
{
    /// <summary>Clocks started at a time.</summary>
    private const int BatchSize = 32;

    /// <summary>Deaths that no restart has answered yet: a second silo may die while the clocks of the first are being started.</summary>
    private int _deaths;

    public async Task StartAllAsync(CancellationToken cancellationToken)
    {
        foreach (var batch in Enumerable.Range(0, partitions.Count).Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.WhenAll(batch.Select(partition => grains.GetDueList(partition).StartAsync()));
        }
    }

    public void FollowMembership() => silos.SubscribeToSiloStatusEvents(this);

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status == SiloStatus.Dead && !updatedSilo.Equals(self.SiloAddress) && Interlocked.Increment(ref _deaths) == 1)
        {
            _ = Task.Run(RestartAsync);
        }
    }

    private async Task RestartAsync()
    {
        int answered;
        do
        {
            answered = Volatile.Read(ref _deaths);
            try
            {
                await StartAllAsync(CancellationToken.None);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // Their reminders bring them back within a minute.
                LogLate(fault);
            }
        }
        while (Interlocked.Add(ref _deaths, -answered) > 0);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "After the end of a silo not every partition's clock could be started at once")]
    private partial void LogLate(Exception fault);
}
