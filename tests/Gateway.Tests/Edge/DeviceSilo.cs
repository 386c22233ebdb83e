using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Contracts.Revocations;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Grains.Devices;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Muster.Gateway.Tests.Edge;

/// <summary>One silo with the real grains of devices; the store is memory, and presence is the test's.</summary>
internal sealed class DeviceSilo : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly MemoryRecords _records;

    private DeviceSilo(InProcessTestCluster cluster)
    {
        _cluster = cluster;
        _records = (MemoryRecords)cluster.GetSiloServiceProvider().GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
    }

    public FakeInventory Inventory { get; } = new();

    /// <summary>Grains as a gateway outside of the silo calls them.</summary>
    public IGrainFactory Grains => InventoryFactory.Create(_cluster.Client, Inventory);

    /// <summary>Grains as a gateway inside of the silo calls them (one process).</summary>
    public IGrainFactory GrainsInside => _cluster.GetSiloServiceProvider().GetRequiredService<IGrainFactory>();

    /// <param name="clock">The silo's; null for the system's.</param>
    public static async Task<DeviceSilo> StartAsync(TimeProvider? clock = null)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddDevices();
            silo.Services.AddSingleton(clock ?? TimeProvider.System);
            silo.Services.AddSingleton(new PartitionMap(PartitionMap.CountMin));
            silo.Services.AddSingleton<IErasureProofVerifier, ErasureProofVerifier>();
            silo.Services.AddSingleton<IImageVault, EmptyVault>();
            silo.Services.AddSingleton<IFenceWriter, NoFences>();
            silo.Services.AddKeyedSingleton<IGrainStorage, MemoryRecords>(StorageNames.Muster);
            var factory = silo.Services.Last(service => service.ServiceType == typeof(IGrainFactory));
            silo.Services.AddSingleton(services => InventoryFactory.Create(Inner(factory, services), new FakeInventory()));
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new DeviceSilo(cluster);
    }

    /// <summary>Commits of a device's record.</summary>
    public int CommitsOf(string serial) => _records.Writes.GetValueOrDefault(((GrainReference)Device(serial)).GrainId);

    public IDeviceGrain Device(string serial) =>
        DeviceId.TryParse(serial, out var id) ? _cluster.Client.GetDevice(TenantId.Default, id) : throw new FormatException(serial);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static IGrainFactory Inner(ServiceDescriptor descriptor, IServiceProvider services) => descriptor switch
    {
        { ImplementationInstance: IGrainFactory instance } => instance,
        { ImplementationFactory: { } create } => (IGrainFactory)create(services),
        _ => (IGrainFactory)ActivatorUtilities.CreateInstance(services, descriptor.ImplementationType!),
    };
}

/// <summary>No image was ever uploaded.</summary>
internal sealed class EmptyVault : IImageVault
{
    public Task<ImageVerdict> ExamineAsync(ImageDigest digest, ImageFormat format, ImmutableArray<byte> signature) =>
        Task.FromResult(ImageVerdict.Refuse(ImageErrors.NotFound(digest.Value)));

    public Task<bool> PublishAsync(ImageDigest digest) => Task.FromResult(false);
}

/// <summary>Where no image is published, none is revoked.</summary>
internal sealed class NoFences : IFenceWriter
{
    public Task RaiseAsync(IReadOnlyCollection<int> partitions, string fence, long value, CancellationToken cancellationToken) =>
        throw new InvalidOperationException($"Nobody raises '{fence}' here.");
}

/// <summary>A grain factory, except for inventories.</summary>
#pragma warning disable CA1852 // DispatchProxy derives from it at run time.
internal class InventoryFactory : DispatchProxy
#pragma warning restore CA1852
{
    private IGrainFactory _inner = null!;
    private FakeInventory _inventory = null!;

    public static IGrainFactory Create(IGrainFactory inner, FakeInventory inventory)
    {
        var factory = Create<IGrainFactory, InventoryFactory>();
        ((InventoryFactory)(object)factory)._inner = inner;
        ((InventoryFactory)(object)factory)._inventory = inventory;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.ReturnType == typeof(IInventoryGrain)
            || targetMethod.ReturnType == typeof(IRevocationsGrain) ? _inventory : targetMethod.Invoke(_inner, args);
}

/// <summary>Records in memory, through the real serializer.</summary>
internal sealed class MemoryRecords(Serializer serializer) : IGrainStorage
{
    private readonly ConcurrentDictionary<GrainId, byte[]> _records = new();

    /// <summary>How often each was written.</summary>
    public ConcurrentDictionary<GrainId, int> Writes { get; } = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.RecordExists = _records.TryGetValue(grainId, out var bytes);
        grainState.State = bytes is null ? Activator.CreateInstance<T>() : serializer.Deserialize<T>(bytes)!;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Writes.AddOrUpdate(grainId, 1, (_, count) => count + 1);
        _records[grainId] = serializer.SerializeToArray(grainState.State);
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException();
}
