using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using System.Security.Cryptography;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Gateway.Tests.Edge;

/// <summary>The grains that the device edge knows, without a silo.</summary>
#pragma warning disable CA1852 // DispatchProxy derives from it at run time.
internal class FakeGrains : DispatchProxy
#pragma warning restore CA1852
{
    private readonly ConcurrentDictionary<string, FakeDevice> _devices = new();

    public FakeInventory Inventory { get; } = new();

    public FakeLinkKeys LinkKeys { get; } = new();

    /// <summary>Digests of images that are not served; all others are published.</summary>
    public ConcurrentDictionary<string, FleetError> Unserved { get; } = new();

    /// <summary>The questions to images, by digest.</summary>
    public ConcurrentDictionary<string, int> ImageQuestions { get; } = new();

    public static (IGrainFactory Factory, FakeGrains Fakes) Create()
    {
        var factory = Create<IGrainFactory, FakeGrains>();
        return (factory, (FakeGrains)(object)factory);
    }

    public FakeDevice Device(string serial) => DeviceOf($"{TenantId.Default}/{serial}");

    /// <summary>The device of a tenant, by the grain's key.</summary>
    public FakeDevice DeviceOf(string key) => _devices.GetOrAdd(key, _ => new FakeDevice(DeviceKey.Parse(key).Device));

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod switch
    {
        { Name: "CreateObjectReference" } => args![0],
        { Name: "GetGrain" } when targetMethod.ReturnType == typeof(IDeviceGrain)
            || targetMethod.ReturnType == typeof(IDeviceAccessGrain)
            || targetMethod.ReturnType == typeof(IDeviceTrustGrain) => DeviceOf((string)args![0]!),
        { Name: "GetGrain" } when targetMethod.ReturnType == typeof(IDeviceCertificatesGrain) => DeviceOf((string)args![0]!),
        { Name: "GetGrain" } when targetMethod.ReturnType == typeof(IInventoryGrain)
            || targetMethod.ReturnType == typeof(IRevocationsGrain) => Inventory,
        { Name: "GetGrain" } when targetMethod.ReturnType == typeof(IImageGrain) =>
            new FakeImage(this, ImageKey.Parse((string)args![0]!).Digest.Value),
        { Name: "GetGrain" } when targetMethod.ReturnType == typeof(ILinkKeysGrain) => LinkKeys,
        _ => throw new NotSupportedException(targetMethod?.Name),
    };
}

/// <summary>The installation's secrets of links.</summary>
internal sealed class FakeLinkKeys : ILinkKeysGrain
{
    public LinkKeys Keys { get; set; } = LinkKeys.None.Roll([.. RandomNumberGenerator.GetBytes(LinkKey.SecretBytes)], default).Next;

    public Task<LinkKeys> GetAsync() => Task.FromResult(Keys);
}

/// <summary>An image that is published unless it says otherwise.</summary>
internal sealed class FakeImage(FakeGrains grains, string digest) : IImageGrain
{
    public async Task<FleetError?> CheckUseAsync()
    {
        grains.ImageQuestions.AddOrUpdate(digest, 1, (_, count) => count + 1);
        await Task.Yield();
        return grains.Unserved.GetValueOrDefault(digest);
    }

    public Task<ImageReply> RegisterAsync(RegisterImage command) => throw new NotSupportedException();

    public Task<ImageReply> GetAsync() => throw new NotSupportedException();

    public Task<ImageReply> UpdateAsync(UpdateImage command) => throw new NotSupportedException();

    public Task<ImageReply> PublishAsync(PublishImage command) => throw new NotSupportedException();

    public Task<ImageReply> RevokeAsync(RevokeImage command) => throw new NotSupportedException();
}

/// <summary>All partitions, at one silo: collects presence, and tells of revocations.</summary>
internal sealed class FakeInventory : IInventoryGrain, IRevocationsGrain
{
    private readonly Guid _silo = Guid.NewGuid();
    private Guid _tail = Guid.NewGuid();
    private readonly ConcurrentQueue<Revocation> _revocations = new();

    /// <summary>Its silo died, and another one has the partitions.</summary>
    public void BeginAnew() => _tail = Guid.NewGuid();

    /// <summary>The revocation's commit.</summary>
    public void Revoke(string serial, RevocationEffect effect) => _revocations.Enqueue(
        DeviceId.TryParse(serial, out var id) ? new Revocation(TenantId.Default, id, effect) : throw new FormatException(serial));

    /// <summary>The commit of an image's revocation.</summary>
    public void Revoke(ImageDigest image) => _revocations.Enqueue(Revocation.OfImage(TenantId.Default, image));

    public Task<RevocationReply> WatchAsync(ImmutableArray<RevocationCursor> cursors)
    {
        if (IsAway)
        {
            throw new TimeoutException("away");
        }

        var known = _revocations.ToArray();
        long? from = cursors.IsEmpty ? null : cursors[0].Sequence;
        var tails = Enumerable.Range(0, PartitionMap.CountMin)
            .Select(partition => new WatchedTail(partition, _tail, new FeedPosition(known.Length, 0), TimeSpan.Zero));
        return Task.FromResult(new RevocationReply(
            new RevocationCursor(_silo, known.Length), from, from is not null, [.. known.Skip((int)(from ?? known.Length))], [.. tails]));
    }

    public Task<RevocationPage> ReadSinceAsync(FeedPosition after)
    {
        var known = _revocations.ToArray();
        return Task.FromResult(new RevocationPage(
            FeedContinuity.Follows, [.. known.Skip((int)after.Sequence)], new FeedPosition(known.Length, 0), true));
    }

    public ConcurrentQueue<PresenceReport> Reports { get; } = new();

    public DevicePresence? Presence { get; set; }

    /// <summary>True for a partition whose silo is gone.</summary>
    public bool IsAway { get; set; }

    public Task ReportPresenceAsync(PresenceReport report)
    {
        if (IsAway)
        {
            throw new TimeoutException("away");
        }

        Reports.Enqueue(report);
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) => Task.FromResult(Presence);

    public Task NudgeAsync() => Task.CompletedTask;

    public Task<RowPage> ListAsync(RowQuery query) => throw new NotSupportedException();

    public Task<RowCounts> CountAsync(RowQuery query, string groupBy) => throw new NotSupportedException();

    public Task<WatchReply?> WatchAsync(IRowWatcher watcher, RowQuery query) => throw new NotSupportedException();

    public Task<ChangedRows?> GetChangedSinceAsync(RowQuery query, FeedPosition position, DateTimeOffset at) =>
        throw new NotSupportedException();

    public Task<ChangedMatches?> FindChangedAsync(RowQuery query, FeedPosition after) => throw new NotSupportedException();

    public Task<TailPage> FollowAsync(FeedPosition after) => throw new NotSupportedException();

    public Task<ListenReply> ListenAsync(ListenForNews command) => throw new NotSupportedException();

    public Task<DevicesInService> ListInServiceAsync(TenantId tenant, string filter, string after) => throw new NotSupportedException();

    public Task<ConnectedDevices?> ListConnectedAsync(TenantId tenant, ReachMark known) => throw new NotSupportedException();

    public Task<InventoryCheck> VerifyAsync() => throw new NotSupportedException();

    public Task RebuildAsync() => throw new NotSupportedException();

    public Task UnwatchAsync(IRowWatcher watcher) => throw new NotSupportedException();

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax) => throw new NotSupportedException();

    public Task<PartitionRevocations?> GetRevocationsAsync(RevocationMark known) => throw new NotSupportedException();
}
