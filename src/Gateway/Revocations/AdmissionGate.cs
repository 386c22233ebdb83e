using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Gateway.Devices;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>Lets a device through only while this gateway would hear of its revocation in time.</summary>
internal sealed class AdmissionGate(PartitionMap map, WatchedPartitions partitions, OpenAccess open, TimeProvider clock)
{
    /// <summary>
    /// A proof comes every half second: who waits this long meets a silo that does not answer. Shorter than clients wait for a CONNACK.
    /// </summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(2);

    /// <summary>Null when the device may be asked about; else why nobody of its partition is admitted now.</summary>
    public ValueTask<FleetError?> CheckAsync(DeviceAddress address) =>
        CheckAsync(map.OfDevice(DeviceKey.Of(address.Tenant, address.Device)));

    /// <summary>As for a device, of whatever is recorded in this partition.</summary>
    public ValueTask<FleetError?> CheckAsync(int partition) =>
        partitions.IsFresh(partition) ? ValueTask.FromResult<FleetError?>(null) : WaitAsync(partition);

    /// <summary>Whether sessions of this partition's devices have to end: they are judged at the door again.</summary>
    public bool IsLost(int partition) => partitions.IsLost(partition);

    private async ValueTask<FleetError?> WaitAsync(int partition)
    {
        using var limit = new CancellationTokenSource(WaitMax, clock);
        try
        {
            while (true)
            {
                var next = open.NextProof;
                if (partitions.IsFresh(partition))
                {
                    return null;
                }

                await next.WaitAsync(limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return DeviceMessageErrors.RevocationsUnknown();
        }
    }
}
