using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.EmbeddedStore;
using Muster.Storage;
using Orleans.Storage;

namespace Muster.Testing.Stores;

/// <summary>A record and its version, as a grain holds them between reads and commits.</summary>
public sealed class NoteState : IGrainState<NoteRecord>
{
    [AllowNull]
    public NoteRecord State { get; set => field = value ?? new NoteRecord(); } = new();

    [AllowNull]
    public string ETag { get; set => field = value ?? ""; } = "";

    public bool RecordExists { get; set; }
}

/// <summary>One host's view of a store, as a silo would wire it, without the silo.</summary>
public sealed class StoreSession : IAsyncDisposable
{
    /// <summary>The fewest there may be: a test that looks at all of them stays quick.</summary>
    public const int Partitions = PartitionMap.CountMin;

    private readonly ServiceProvider _services;

    private StoreSession(ServiceProvider services)
    {
        _services = services;
        Storage = services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Muster);
        Feed = services.GetRequiredService<IFeedReader>();
        Trimmer = services.GetRequiredService<IFeedTrimmer>();
        Readers = services.GetRequiredService<IDurableReaders>();
        Scanner = services.GetRequiredService<IRecordScanner>();
        Archive = services.GetRequiredService<IRecordArchive>();
        Fences = services.GetRequiredService<IFenceWriter>();
    }

    public IGrainStorage Storage { get; }

    public IFeedReader Feed { get; }

    public IFeedTrimmer Trimmer { get; }

    public IDurableReaders Readers { get; }

    public IRecordScanner Scanner { get; }

    public IRecordArchive Archive { get; }

    public IFenceWriter Fences { get; }

    /// <param name="embedded">The server behind the connection string, when it replies before it is durable.</param>
    public static StoreSession Open(
        string connectionString, EmbeddedStoreServer? embedded = null, Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection();
        if (embedded is not null)
        {
            services.AddSingleton<IDurabilityBarrier>(new LogCommitBarrier(embedded));
        }

        services.AddMusterStorage(options =>
        {
            options.ConnectionString = connectionString;
            options.Partitions = Partitions;
        });
        configure?.Invoke(services);
        return new StoreSession(services.BuildServiceProvider());
    }

    /// <summary>The record as the store has it.</summary>
    public async Task<NoteState> ReadAsync(GrainId id)
    {
        var state = new NoteState();
        await Storage.ReadStateAsync("state", id, state);
        return state;
    }

    /// <summary>Commits on top of <paramref name="state"/>, whose version moves on when it succeeds.</summary>
    public async Task WriteAsync(GrainId id, NoteState state, NoteRecord next)
    {
        state.State = next;
        await Storage.WriteStateAsync("state", id, state);
    }

    /// <summary>All facts of a partition, read in steps.</summary>
    public async Task<List<FeedEntry>> ReadFeedAsync(int partition, CancellationToken cancellationToken, long after = 0)
    {
        var entries = new List<FeedEntry>();
        while (await Feed.ReadAsync(partition, after, 200, cancellationToken) is { Length: > 0 } read)
        {
            entries.AddRange(read);
            after = read[^1].Sequence;
        }

        return entries;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

/// <summary>An acknowledgement waits for the embedded store's log.</summary>
public sealed class LogCommitBarrier(EmbeddedStoreServer server) : IDurabilityBarrier
{
    public void CheckRoom()
    {
        if (server.FindShortage() is { } shortage)
        {
            throw new StoreFullException(shortage);
        }
    }

    public Task PassAsync(CancellationToken cancellationToken) => server.CommitAsync(cancellationToken);
}
