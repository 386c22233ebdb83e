using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Gateways;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Tenants;
using Muster.Grains.Devices;
using Muster.Grains.Enrollments;
using Muster.Grains.Tests.Anchors;
using Muster.Grains.Tests.Devices;
using Muster.Grains.Tests.Lifecycle;
using Muster.Storage;
using Muster.Testing.Stores;
using Orleans.TestingHost;

[assembly: AssemblyFixture(typeof(DeviceSilo))]

namespace Muster.Grains.Tests.Devices;

/// <summary>
/// Two silos of one store that know nothing of each other: a grain can have two activations. The store is a real Redis; only the
/// inventory is played, from the store's own feed.
/// </summary>
public sealed class DeviceSilo : IAsyncLifetime
{
    private RedisServer? _redis;
    private RedisServer? _lent;
    private InProcessTestCluster? _one;
    private InProcessTestCluster? _other;
    private int _presenceAsks;

    public IGrainFactory Grains => _one!.Client;

    /// <summary>Grains as a gateway in the silo's own process calls them: what is immutable is not copied.</summary>
    public IGrainFactory GrainsInside => Services.GetRequiredService<IGrainFactory>();

    /// <summary>The silo whose activations are strangers to the first one's.</summary>
    public IGrainFactory OtherGrains => _other!.Client;

    public IFeedReader Feed => Services.GetRequiredService<IFeedReader>();

    public IFenceWriter Fences => Services.GetRequiredService<IFenceWriter>();

    public PartitionMap Partitions => Services.GetRequiredService<PartitionMap>();

    internal SteppedClock Clock { get; } = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    /// <summary>What gateways told of presence.</summary>
    public ConcurrentDictionary<DeviceId, DevicePresence> Presence { get; } = new();

    /// <summary>How often presence was asked for, of all devices.</summary>
    public int PresenceAsks => Volatile.Read(ref _presenceAsks);

    /// <summary>How the installation treats devices that nobody expects.</summary>
    public bool UnknownDevicesMayApply { get; init; }

    /// <summary>Whom the installation serves; one enterprise unless the test says otherwise.</summary>
    public TenantDirectory Tenants { get; init; } = TenantDirectory.OfOne;

    private IServiceProvider Services => _one!.GetSiloServiceProvider();

    public async ValueTask InitializeAsync()
    {
        _redis = _lent ?? await RedisServer.StartAsync("no", CancellationToken.None);
        _one = Build();
        _other = Build();
        await _one.DeployAsync();
        await _other.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var cluster in new[] { _one, _other })
        {
            if (cluster is not null)
            {
                await cluster.DisposeAsync();
            }
        }

        if (_redis is not null && _lent is null)
        {
            await _redis.DisposeAsync();
        }
    }

    /// <summary>The same installation after a restart with other tenants: new silos on the store of these, which outlive them.</summary>
    public DeviceSilo Grow(TenantDirectory tenants) => new() { _lent = _redis, Tenants = tenants };

    public void FailNextWrite(GrainId grain, StorageFault fault) =>
        Services.GetRequiredService<FaultingStorage>().FailNextWrite(grain, fault);

    public void HoldNextWrite(GrainId grain, Task until) =>
        Services.GetRequiredService<FaultingStorage>().HoldNextWrite(grain, until);

    public bool IsFaultPending(GrainId grain) => Services.GetRequiredService<FaultingStorage>().IsPending(grain);

    /// <summary>Forgets the activation: the next call reads the store.</summary>
    public Task ForgetAsync(GrainId grain) => _one!.DeactivateAsync(grain);

    /// <summary>A gateway's reference; the caller keeps the gateway alive.</summary>
    public IGatewayObserver Reference(TestGateway gateway) => _one!.Client.CreateObjectReference<IGatewayObserver>(gateway);

    public async Task<ImmutableArray<FeedEntry>> EntriesOfAsync(GrainId grain)
    {
        var record = new RecordKey(grain.Type.ToString()!, grain.Key.ToString()!);
        var entries = await ReadPartitionAsync(Feed, Partitions.Of(record));
        return [.. entries.Where(entry => entry.Record == record)];
    }

    private static async Task<List<FeedEntry>> ReadPartitionAsync(IFeedReader feed, int partition)
    {
        var all = new List<FeedEntry>();
        while (true)
        {
            var entries = await feed.ReadAsync(partition, all.Count, 500, CancellationToken.None);
            all.AddRange(entries);
            if (entries.IsEmpty)
            {
                return all;
            }
        }
    }

    private DevicePresence? FindPresence(DeviceId device)
    {
        Interlocked.Increment(ref _presenceAsks);
        return Presence.GetValueOrDefault(device);
    }

    private InProcessTestCluster Build()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TimeProvider>(Clock);
            silo.AddMusterStorage(options =>
            {
                options.ConnectionString = _redis!.ConnectionString;
                options.Partitions = PartitionMap.CountMin;
            });
            FaultingStorage.Wrap(silo.Services);
            silo.Services.AddSingleton<IErasureProofVerifier, NineVerifier>();
            silo.Services.AddSingleton<ICertificateIssuer, PlayedIssuer>();
            silo.Services.AddSingleton<IFleetSigner, PlayedIssuer>();
            silo.Services.AddSingleton<IAnchorCertificateReader, AnchorSetGrainTests.PlayedReader>();
            silo.Services.AddSingleton(Tenants);
            silo.AddDevices();
            silo.Services.PostConfigure<EnrollmentOptions>(options => options.UnknownDevicesMayApply = UnknownDevicesMayApply);
            var factory = silo.Services.Last(service => service.ServiceType == typeof(IGrainFactory));
            silo.Services.AddSingleton(services => PlayedInventory.Create(Inner(factory, services), services, FindPresence));
        });
        return builder.Build();
    }

    private static IGrainFactory Inner(ServiceDescriptor descriptor, IServiceProvider services) => descriptor switch
    {
        { ImplementationInstance: IGrainFactory instance } => instance,
        { ImplementationFactory: { } create } => (IGrainFactory)create(services),
        _ => (IGrainFactory)ActivatorUtilities.CreateInstance(services, descriptor.ImplementationType!),
    };

    /// <summary>The silo's grain factory, except that the inventory folds the feed and knows the presence of the test.</summary>
    public class PlayedInventory : DispatchProxy
    {
        private IGrainFactory _inner = null!;
        private IServiceProvider _services = null!;
        private Func<DeviceId, DevicePresence?> _presence = null!;

        internal static IGrainFactory Create(
            IGrainFactory inner, IServiceProvider services, Func<DeviceId, DevicePresence?> presence)
        {
            var factory = Create<IGrainFactory, PlayedInventory>();
            var proxy = (PlayedInventory)(object)factory;
            (proxy._inner, proxy._services, proxy._presence) = (inner, services, presence);
            return factory;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod is { IsGenericMethod: true } && targetMethod.GetGenericArguments()[0] == typeof(IImageGrain))
            {
                return PlayedImage((string)args![0]!);
            }

            if (targetMethod is not { IsGenericMethod: true } || targetMethod.GetGenericArguments()[0] != typeof(IInventoryGrain))
            {
                return targetMethod!.Invoke(_inner, args);
            }

            var partition = (int)(long)args![0]!;
            return NeighbourGrain.Create<IInventoryGrain>((method, call) => method switch
            {
                nameof(IInventoryGrain.FindPresenceAsync) =>
                    Task.FromResult(_presence((DeviceId)call[1]!)),
                nameof(IInventoryGrain.ListAsync) => ListAsync(partition, (RowQuery)call[0]!),
                _ => throw new NotSupportedException(method),
            });
        }

        /// <summary>Every image is published but those whose digest begins with f; a revoked one begins with e.</summary>
        private static IImageGrain PlayedImage(string key) => NeighbourGrain.Create<IImageGrain>((method, _) =>
        {
            var digest = ImageKey.Parse(key).Digest;
            var error = digest.Value[0] == 'f' ? ImageErrors.NotFound(digest.Value) : null;
            return method switch
            {
                nameof(IImageGrain.CheckUseAsync) => Task.FromResult(error),
                nameof(IImageGrain.GetAsync) => Task.FromResult(new ImageReply(error is null ? ImageOf(digest) : null, error)),
                _ => throw new NotSupportedException(method),
            };
        });

        private static Image ImageOf(ImageDigest digest) => new()
        {
            Tenant = TenantId.Default,
            Digest = digest,
            Manifest = new ImageManifest("12.0.1", ImageTrack.Active, [Unit.Model], 1000),
            State = digest.Value[0] == 'e' ? ImageState.Revoked : ImageState.Published,
            Signature = [1],
            Signer = null!,
            RequestId = "",
            CreatedAt = default,
        };

        private async Task<RowPage> ListAsync(int partition, RowQuery query)
        {
            var rows = new SortedDictionary<string, ListedRow>(StringComparer.Ordinal);
            foreach (var entry in await ReadPartitionAsync(_services.GetRequiredService<IFeedReader>(), partition))
            {
                if (entry is { Row: { } row, Record.Kind: GrainTypes.Device })
                {
                    rows[row.Name] = new ListedRow(entry.Record, entry.Version, row, null);
                }
            }

            var after = rows.Values.Where(row => string.CompareOrdinal(row.Row.Name, query.After) > 0).ToArray();
            return new RowPage([.. after.Take(query.RowsMax)], after.Length <= query.RowsMax, null);
        }
    }
}

/// <summary>Takes the proof 9 and no other.</summary>
internal sealed class NineVerifier : IErasureProofVerifier
{
    public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
        signature is [9] ? null : FleetError.Of(ErrorKind.Denied, "ERASURE_PROOF_INVALID", "Not the proof.");
}
