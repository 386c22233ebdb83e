using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections.Features;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>One answer that is being sent to a device, or asked for.</summary>
/// <param name="Address">The device.</param>
/// <param name="Partition">Of the device.</param>
/// <param name="Identity">Proved by the connection; null where a link alone says who it is.</param>
/// <param name="Image">What is sent.</param>
/// <param name="ImagePartition">Of the image.</param>
/// <param name="Abort">Ends the connection.</param>
internal sealed record OpenDownload(
    DeviceAddress Address, int Partition, DeviceIdentity? Identity, ImageDigest Image, int ImagePartition, Action Abort)
{
    private volatile bool _isSent;

    /// <summary>True once bytes may go; before that it is asked for, and a door that is closed says so itself.</summary>
    public bool IsSent
    {
        get => _isSent;
        set => _isSent = value;
    }

    /// <summary>Whether what happens in this partition may take the right away.</summary>
    public bool IsOf(int partition) => Partition == partition || ImagePartition == partition;
}

/// <summary>The downloads in progress, so that one whose device lost its right, or whose image was revoked, ends in the middle.</summary>
internal sealed class OpenDownloads(PartitionMap partitions)
{
    private readonly ConcurrentDictionary<OpenDownload, byte> _downloads = new(ReferenceEqualityComparer.Instance);

    /// <summary>Looked through without a copy. There are as many as rollouts have under way: some hundreds.</summary>
    public IEnumerable<OpenDownload> All => _downloads.Select(pair => pair.Key);

    public IEnumerable<OpenDownload> Of(DeviceAddress address) => All.Where(download => download.Address == address);

    public IEnumerable<OpenDownload> Of(TenantId tenant, ImageDigest image) =>
        All.Where(download => download.Image == image && download.Address.Tenant == tenant);

    /// <summary>From the question, whatever the grain answers, to the end of the answer.</summary>
    public OpenDownload Open(HttpContext http, DeviceAddress address, DeviceIdentity? identity, ImageDigest image)
    {
        var partition = partitions.OfDevice(DeviceKey.Of(address.Tenant, address.Device));

        // A device's connection is its own for as long as it lives; the request's own object serves another one when this has ended. What
        // comes from a proxy shares its connection with nobody: it is HTTP/1.1, one request at a time.
        Action abort = http.Features.Get<IConnectionLifetimeFeature>() is { } connection ? connection.Abort : http.Abort;
        var download = new OpenDownload(address, partition, identity, image, partitions.PartitionOf(address.Tenant, image), abort);
        _downloads[download] = 0;
        http.Response.OnCompleted(() =>
        {
            _downloads.TryRemove(download, out _);
            return Task.CompletedTask;
        });
        return download;
    }
}
