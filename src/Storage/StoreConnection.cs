using System.Globalization;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// The one connection to the store. It opens once, checks the number of partitions, and repeats a request a bounded
/// number of times: every request of ours may be sent twice without being applied twice.
/// </summary>
internal sealed class StoreConnection(
    IOptions<StoreOptions> options, PartitionMap partitions, IDurabilityBarrier barrier, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Doubles with every attempt: long enough for a connection to come back, short beside the request's own timeout.</summary>
    private static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(50);

    /// <summary>The client's own policy waits for seconds, which is what one attempt of a commit has.</summary>
    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _opening = new(1, 1);
    private ConnectionMultiplexer? _multiplexer;
    private volatile IDatabase? _database;
    private volatile Exception? _fault;

    /// <summary>The id that every partition carries; known once the store is open.</summary>
    public RedisValue Installation { get; private set; } = RedisValue.Null;

    /// <summary>Why the latest attempt failed; null when it was answered. Some request's, which says what the others wait for.</summary>
    public Exception? Fault => _fault;

    /// <summary>One script may name several partitions: false on a cluster, where each has its slot, and until the store is open.</summary>
    public bool HoldsAllPartitions { get; private set; }

    /// <summary>What all attempts of a request take that is never answered.</summary>
    public static TimeSpan RetryTime(StoreOptions options) =>
        (options.AttemptsMax * options.RequestTimeout) + (BackOff * ((1 << (options.AttemptsMax - 1)) - 1));

    /// <summary>More entries than this are never in one partition's feed.</summary>
    public long FeedEntriesMax => options.Value.FeedEntriesKept + CommitLimits.FeedEntriesBeyondMax;

    /// <summary>What is said when a partition does not carry the installation's id.</summary>
    public static StoreUnavailableException Lost(int partition) => new(
        $"Partition {partition} of the store is not the one that this host was started with: the store was emptied or replaced. "
        + "Nothing is read or written. Bring its data back, or restart every silo to begin with what is there.");

    /// <summary>Refuses what a store says that was emptied or replaced since it was opened: an empty fleet would be believed.</summary>
    public void Verify(int partition, RedisValue installation)
    {
        if (installation != Installation)
        {
            throw Lost(partition);
        }
    }

    public ValueTask<IDatabase> OpenAsync(CancellationToken cancellationToken) =>
        _database is { } database ? new ValueTask<IDatabase>(database) : new ValueTask<IDatabase>(OpenOnceAsync(cancellationToken));

    /// <summary>Runs a request that may be sent twice; <see cref="StoreUnavailableException"/> when it was never answered.</summary>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> request, CancellationToken cancellationToken)
    {
        var attemptsMax = options.Value.AttemptsMax;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
                var answer = await request(database).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (_fault is not null)
                {
                    _fault = null;
                }

                return answer;
            }
            catch (RedisServerException exception) when (IsFull(exception))
            {
                throw new StoreFullException($"The store takes no more: {exception.Message}", exception);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
            {
                _fault = exception;
                if (attempt >= attemptsMax || exception is ObjectDisposedException)
                {
                    throw new StoreUnavailableException($"The store did not take the request in {attempt} attempts.", exception);
                }
            }

            await Task.Delay(BackOff * (1 << (attempt - 1)), time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is { } multiplexer)
        {
            await multiplexer.DisposeAsync();
        }

        _opening.Dispose();
    }

    /// <summary>Out of memory by maxmemory, or a disk that takes no log or snapshot: repeating does not help, room does.</summary>
    private static bool IsFull(RedisServerException exception) =>
        exception.Message.Contains("OOM ", StringComparison.Ordinal) || exception.Message.Contains("MISCONF", StringComparison.Ordinal);

    private async Task<IDatabase> OpenOnceAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_database is { } open)
            {
                return open;
            }

            _multiplexer ??= await ConnectionMultiplexer.ConnectAsync(Configuration(options.Value)).ConfigureAwait(false);
            var database = _multiplexer.GetDatabase();
            await CheckPartitionsAsync(database, cancellationToken).ConfigureAwait(false);
            Installation = await new InstallationStamp(database, partitions, barrier).VerifyAsync(cancellationToken).ConfigureAwait(false);
            HoldsAllPartitions = _multiplexer.GetServers().All(server => server.ServerType != ServerType.Cluster);
            _database = database;
            return database;
        }
        finally
        {
            _opening.Release();
        }
    }

    private static ConfigurationOptions Configuration(StoreOptions options)
    {
        var configuration = ConfigurationOptions.Parse(options.ConnectionString);
        var timeout = (int)options.RequestTimeout.TotalMilliseconds;
        configuration.AsyncTimeout = timeout;
        configuration.SyncTimeout = timeout;
        configuration.ClientName ??= "muster";
        configuration.ReconnectRetryPolicy = new LinearRetry((int)ReconnectInterval.TotalMilliseconds);
        return configuration;
    }

    /// <summary>Every record's place follows from the number of partitions: with another number nothing would be found again.</summary>
    private async Task CheckPartitionsAsync(IDatabase database, CancellationToken cancellationToken)
    {
        var mine = partitions.Count;
        if (await database.StringSetAsync(RecordLayout.PartitionsKey, mine, when: When.NotExists).ConfigureAwait(false))
        {
            await barrier.PassAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        var stored = (string?)await database.StringGetAsync(RecordLayout.PartitionsKey).ConfigureAwait(false);
        if (stored != mine.ToString(CultureInfo.InvariantCulture))
        {
            throw new InvalidOperationException(
                $"The store was laid out with {stored} partitions and this host is configured for {mine}. "
                + "The number is chosen at first start and cannot be changed afterwards.");
        }
    }
}
