using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Orleans.Storage;

namespace Muster.Testing.Stores;

/// <summary>How a write fails.</summary>
public enum StorageFault
{
    None = 0,

    /// <summary>Nothing is written.</summary>
    Lost = 1,

    /// <summary>It is written, and the caller is told that it failed.</summary>
    ReplyLost = 2,
}

/// <summary>Stands before the real store and lets the next write of a grain fail.</summary>
public sealed class FaultingStorage(IGrainStorage inner) : IGrainStorage
{
    private readonly ConcurrentDictionary<GrainId, StorageFault> _faults = new();
    private readonly ConcurrentDictionary<GrainId, Task> _held = new();

    public void FailNextWrite(GrainId grain, StorageFault fault) => _faults[grain] = fault;

    /// <summary>The next write of this grain goes on when the task has ended.</summary>
    public void HoldNextWrite(GrainId grain, Task until) => _held[grain] = until;

    /// <summary>No write has failed since.</summary>
    public bool IsPending(GrainId grain) => _faults.ContainsKey(grain);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        inner.ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_held.TryRemove(grainId, out var until))
        {
            await until;
        }

        _faults.TryRemove(grainId, out var fault);
        if (fault == StorageFault.Lost)
        {
            throw new StoreUnavailableException("Lost on purpose.");
        }

        await inner.WriteStateAsync(stateName, grainId, grainState);
        if (fault == StorageFault.ReplyLost)
        {
            throw new StoreUnavailableException("The reply is lost on purpose.");
        }
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        inner.ClearStateAsync(stateName, grainId, grainState);

    /// <summary>Puts it before the storage that is registered already.</summary>
    public static void Wrap(IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var real = services.Last(service =>
            service.IsKeyedService && service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, StorageNames.Muster));
        services.AddSingleton(provider =>
            new FaultingStorage((IGrainStorage)ActivatorUtilities.CreateInstance(provider, real.KeyedImplementationType!)));
        services.AddKeyedSingleton<IGrainStorage>(StorageNames.Muster, (provider, _) => provider.GetRequiredService<FaultingStorage>());
    }
}
