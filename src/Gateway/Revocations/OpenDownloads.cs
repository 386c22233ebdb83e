using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections.Features;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>One answer that is being sent to a device.</summary>
/// <param name="Address">The device.</param>
/// <param name="Partition">Of the device.</param>
/// <param name="Identity">Proved by the connection.</param>
/// <param name="Digest">What is sent.</param>
/// <param name="Abort">Ends the connection.</param>
internal sealed record OpenDownload(DeviceAddress Address, int Partition, DeviceIdentity Identity, string Digest, Action Abort);

/// <summary>The downloads in progress, so that one whose device lost its right ends in the middle.</summary>
internal sealed class OpenDownloads(PartitionMap partitions)
{
    private readonly ConcurrentDictionary<OpenDownload, byte> _downloads = new(ReferenceEqualityComparer.Instance);

    /// <summary>Looked through without a copy. There are as many as rollouts have under way: some hundreds.</summary>
    public IEnumerable<OpenDownload> All => _downloads.Select(pair => pair.Key);

    public IEnumerable<OpenDownload> Of(DeviceAddress address) => All.Where(download => download.Address == address);

    /// <summary>From the grain's yes to the end of the answer.</summary>
    public void Open(HttpContext http, DeviceAddress address, DeviceIdentity identity, string digest)
    {
        var partition = partitions.OfDevice(DeviceKey.Of(address.Tenant, address.Device));

        // The connection is this device's for as long as it lives; the request's own object serves another one when this has ended.
        Action abort = http.Features.Get<IConnectionLifetimeFeature>() is { } connection ? connection.Abort : http.Abort;
        var download = new OpenDownload(address, partition, identity, digest, abort);
        _downloads[download] = 0;
        http.Response.OnCompleted(() =>
        {
            _downloads.TryRemove(download, out _);
            return Task.CompletedTask;
        });
    }
}
