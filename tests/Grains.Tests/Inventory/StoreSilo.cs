using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Domain.Decommissioning;
using Muster.EmbeddedStore;
using Muster.Grains.Devices;
using Muster.Storage;
using Muster.Testing.Stores;
using Orleans.TestingHost;

namespace Muster.Grains.Tests.Inventory;

/// <summary>One silo on a real store of its own, and a second way into that store for writers and readers outside of it.</summary>
internal sealed class StoreSilo : IAsyncDisposable
{
    /// <summary>Far above what any step takes; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-silo-");
    private RedisServer? _redis;
    private EmbeddedStoreServer? _embedded;
    private InProcessTestCluster _cluster = null!;

    public StoreSession Store { get; private set; } = null!;

    public Said Log { get; } = new();

    public IGrainFactory Grains => _cluster.Client;

    /// <summary>Of a silo that is not on the embedded store.</summary>
    public RedisServer Redis => _redis!;

    public IServiceProvider Services => _cluster.GetSiloServiceProvider();

    public static async Task<StoreSilo> StartAsync(bool isEmbedded, Action<IServiceCollection>? configure = null)
    {
        var silo = new StoreSilo();
        if (isEmbedded)
        {
            silo._embedded = EmbeddedStoreServer.Start(silo._folder.FullName);
        }
        else
        {
            silo._redis = await RedisServer.StartAsync("no", CancellationToken.None);
        }

        await silo.DeployAsync(configure);
        return silo;
    }

    /// <summary>Ends an activation, as the end of its silo does.</summary>
    public Task EndAsync(IAddressable grain) => _cluster.DeactivateAsync(grain);

    public static Task UntilAsync(Func<bool> expected) => UntilAsync(() => Task.FromResult(expected()));

    public static async Task UntilAsync(Func<Task<bool>> expected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await expected())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "It did not come to that.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Store.DisposeAsync();
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task DeployAsync(Action<IServiceCollection>? configure)
    {
        var connectionString = _embedded?.ConnectionString ?? _redis!.ConnectionString;
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            if (_embedded is not null)
            {
                silo.Services.AddSingleton<IDurabilityBarrier>(new LogCommitBarrier(_embedded));
            }

            silo.AddMusterStorage(options => (options.ConnectionString, options.Partitions) = (connectionString, PartitionMap.CountMin));
            silo.Services.AddSingleton<IErasureProofVerifier, NeverAsked>();
            silo.Services.AddLogging(logging => logging.AddProvider(Log));
            silo.AddDevices();
            silo.UseInMemoryReminderService();
            configure?.Invoke(silo.Services);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        Store = StoreSession.Open(connectionString, _embedded);
    }
}

/// <summary>What was logged, as text.</summary>
internal sealed class Said : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public int Count(LogLevel level, string part) =>
        _lines.Count(line => line.Level == level && line.Text.Contains(part, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception)));

    public void Dispose()
    {
    }
}
