using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Orleans.Serialization;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Configuration;
using Orleans.Storage;

namespace Muster.Storage;

/// <summary>Wires the commit, the feed, the scan and the fences.</summary>
public static class StorageExtensions
{
    /// <summary>Storage of a silo; the store is opened and checked before the silo serves grains.</summary>
    public static ISiloBuilder AddMusterStorage(this ISiloBuilder builder, Action<StoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddMusterStorage(configure);
        return builder;
    }

    /// <summary>
    /// Storage in any host. An <see cref="IDurabilityBarrier"/> that is registered already is kept; an
    /// <see cref="IFeedNudge"/> is told of commits when there is one.
    /// </summary>
    public static IServiceCollection AddMusterStorage(this IServiceCollection services, Action<StoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSerializer().PostConfigure<TypeManifestOptions>(SpareCopies);
        var options = services.AddOptions<StoreOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StoreOptions>, StoreOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IDurabilityBarrier, ServerDecides>();
        services.TryAddSingleton(provider => new PartitionMap(provider.GetRequiredService<IOptions<StoreOptions>>().Value.Partitions));
        services.AddSingleton<StoreConnection>();
        services.AddSingleton<PayloadSerializer>();
        services.AddSingleton<WrittenEntries>();
        services.AddSingleton<FactEncoder>();
        services.AddSingleton<CommitPatience>();
        services.AddSingleton<CommitPipeline>();
        services.AddSingleton<IFeedReader, FeedReader>();
        services.AddSingleton<IFeedTrimmer, FeedTrimmer>();
        services.AddSingleton<IDurableReaders, DurableReaders>();
        services.AddSingleton<IRecordScanner, RecordScanner>();
        services.AddSingleton<IRecordArchive, RecordArchive>();
        services.AddSingleton<IFenceWriter, FenceWriter>();
        services.AddKeyedSingleton<IGrainStorage, CommitStorage>(StorageNames.Muster);
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, StoreStart>();
        return services;
    }

    /// <summary>In place of the codecs that cost a commit of a device most; what they write is the same.</summary>
    private static void SpareCopies(TypeManifestOptions manifest)
    {
        manifest.Serializers.Remove(typeof(ImmutableArrayCodec<>));
        manifest.Serializers.Add(typeof(UncopiedArrayCodec<>));
        manifest.Serializers.RemoveWhere(type => type.IsAssignableTo(typeof(IFieldCodec<DeviceLabel>)));
        manifest.Serializers.Add(typeof(LabelCodec));
    }
}

/// <summary>Opens the store while the silo starts, so that a wrong setting stops the host instead of the first grain.</summary>
internal sealed class StoreStart(StoreConnection connection) : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(StoreStart),
        ServiceLifecycleStage.RuntimeStorageServices,
        async cancellationToken => await connection.OpenAsync(cancellationToken));
}
