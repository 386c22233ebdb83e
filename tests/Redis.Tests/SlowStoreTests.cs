using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Storage;

namespace Muster.Redis.Tests;

/// <summary>
/// A store that answers late or not at all for a while. Its times are a tenth of what the defaults stand for: 300 ms for the three
/// seconds of a request, three seconds for thirty.
/// </summary>
public sealed class SlowStoreTests
{
    private const int Partition = 5;
    private const int Attempts = 3;

    private static readonly TimeSpan Request = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(3);

    /// <summary>A partition's writers make up one group, which is sent so often; the machine may be busy.</summary>
    private static readonly TimeSpan CommitPatience = (2 * Attempts * Request) + TimeSpan.FromSeconds(5);

    /// <summary>The client looks once a second whether a request has taken too long.</summary>
    private static readonly TimeSpan TooLate = Request + TimeSpan.FromSeconds(3);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commits_WhileTheStoreHangs_EndInTimeAndGoOnWithoutLossOrRepetition()
    {
        await using var redis = await RedisServer.StartAsync("always", Cancel);
        await using var session = Open(redis.ConnectionString, Request);
        var ledger = new Ledger();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writers = Enumerable.Range(0, NoteWriter.RecordsTotal)
            .Select(number => new NoteWriter(session, number).RunAsync(version => ledger.AcknowledgeAsync(number, version), stop.Token))
            .ToArray();
        await ledger.WaitUntilMoreThanAsync(1_000, Cancel);

        await redis.HangAsync(Cancel);
        var id = NoteRecord.IdIn(Partition, "lone");
        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => session.WriteAsync(id, new NoteState(), new NoteRecord().Next("x", 1)));
        Assert.InRange(clock.Elapsed, Attempts * Request, CommitPatience);
        await Task.Delay(Hang, Cancel);
        await redis.GoOnAsync(Cancel);
        var before = ledger.Total;
        await ledger.WaitUntilMoreThanAsync(before + 1_000, Cancel);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        await using var fresh = StoreSession.Open(redis.ConnectionString);
        await ledger.VerifyAsync(fresh, Cancel);
        Assert.InRange((await fresh.ReadAsync(id)).State.FactsTotal, 0, 1);
    }

    /// <summary>One call has 64 of them: without a bound they would be told one full round of attempts after another.</summary>
    [Fact]
    public async Task Commits_WaitingForAStoreThatHangs_AreToldWhileCallersListenAndNeverSent()
    {
        const int Waiting = 64 * 12;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = Open(redis.ConnectionString, Request);
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        await redis.HangAsync(Cancel);

        var clock = Stopwatch.StartNew();
        var sent = session.WriteAsync(NoteRecord.IdIn(Partition, "sent"), new NoteState(), new NoteRecord().Next("x", 1));
        var commits = Enumerable.Range(0, Waiting)
            .Select(n => session.WriteAsync(NoteRecord.IdIn(Partition, $"{n}"), new NoteState(), new NoteRecord().Next("x", 1)))
            .ToArray();
        var told = await Task.WhenAll(commits.Select(commit => Assert.ThrowsAsync<StoreUnavailableException>(() => commit)));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => sent);
        Assert.InRange(clock.Elapsed, Attempts * Request, 10 * Attempts * Request);
        Assert.All(told, exception => Assert.Contains("was not sent", exception.Message, StringComparison.Ordinal));

        await redis.GoOnAsync(Cancel);
        await InsistAsync(() => session.ReadAsync(NoteRecord.IdIn(Partition, "first")));
        await session.WriteAsync(NoteRecord.IdIn(Partition, "next"), new NoteState(), new NoteRecord().Next("x", 0));
        Assert.InRange(await session.Feed.GetHeadAsync(Partition, Cancel), 1, 2);
        Assert.False((await session.ReadAsync(NoteRecord.IdIn(Partition, "0"))).RecordExists);
    }

    /// <summary>Three attempts of ten seconds, which the options allow: the caller would have gone at half of that.</summary>
    [Fact]
    public async Task Commit_OfAStoreThatHangsForLong_IsToldWhileItsCallerListens()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = Open(redis.ConnectionString, TimeSpan.FromSeconds(10));
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        await redis.HangAsync(Cancel);

        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => session.WriteAsync(NoteRecord.IdIn(Partition, "sent"), new NoteState(), new NoteRecord().Next("x", 1)));

        Assert.InRange(clock.Elapsed, CommitLimits.ListenMax, TimeSpan.Parse(CallTimeouts.Commit, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Commit_ThatADiskDoesNotTake_IsToldWhileItsCallerListens()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        var disk = new StalledDisk();
        await using var session = Open(redis.ConnectionString, Request, disk);
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        disk.IsStalled = true;

        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => session.WriteAsync(NoteRecord.IdIn(Partition, "sent"), new NoteState(), new NoteRecord().Next("x", 1)));

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.Parse(CallTimeouts.Commit, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Commits_BeyondWhatADiskMayOwe_AreRefusedAtOnceAndTheOthersLand()
    {
        const int Beyond = 100;
        const int PartitionsUsed = 16;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        var disk = new StalledDisk();
        await using var session = Open(redis.ConnectionString, TimeSpan.FromSeconds(10), disk);
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        disk.IsStalled = true;

        // The server answers all the time; what it answered is owed by the disk.
        var commits = Enumerable.Range(0, CommitLimits.WaitingCommitsMax + Beyond)
            .Select(n => session.WriteAsync(
                NoteRecord.IdIn(n % PartitionsUsed, $"{n}"), new NoteState(), new NoteRecord().Next("x", 1)))
            .ToArray();
        var refused = commits.Count(commit => commit.IsFaulted);
        disk.GoOn();

        Assert.Equal(Beyond, refused);
        await LandedAsync(commits[..^Beyond]);
    }

    [Fact]
    public async Task Commits_BeyondWhatMayWait_AreRefusedAtOnceAndTheOthersLand()
    {
        const int Beyond = 100;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = Open(redis.ConnectionString, TimeSpan.FromSeconds(10));
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        await redis.HangAsync(Cancel);

        // The first of them is on its way; all others wait behind it.
        var commits = Enumerable.Range(0, 1 + CommitLimits.PartitionWaitingCommitsMax + Beyond)
            .Select(n => session.WriteAsync(NoteRecord.IdIn(Partition, $"{n}"), new NoteState(), new NoteRecord().Next("x", 1)))
            .ToArray();
        var refused = commits.Where(commit => commit.IsFaulted).ToArray();
        await redis.GoOnAsync(Cancel);

        Assert.Equal(Beyond, refused.Length);
        var refusal = Assert.IsType<StoreUnavailableException>(refused[0].Exception!.InnerException);
        Assert.Contains("commits wait for partition 5", refusal.Message, StringComparison.Ordinal);
        var landed = await LandedAsync(commits.Except(refused));
        Assert.InRange(await session.Feed.GetHeadAsync(Partition, Cancel), 1 + landed, 2 + CommitLimits.PartitionWaitingCommitsMax);
    }

    [Fact]
    public async Task Commits_BeyondWhatMayWaitInAll_AreRefusedAtOnceAndTheOthersLand()
    {
        const int Beyond = 1_000;
        const int PartitionsUsed = 16;
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var session = Open(redis.ConnectionString, TimeSpan.FromSeconds(10));
        await session.WriteAsync(NoteRecord.IdIn(Partition, "first"), new NoteState(), new NoteRecord().Next("x", 1));
        await redis.HangAsync(Cancel);

        var commits = Enumerable.Range(0, CommitLimits.WaitingCommitsMax + Beyond)
            .Select(n => session.WriteAsync(
                NoteRecord.IdIn(n % PartitionsUsed, $"{n}"), new NoteState(), new NoteRecord().Next("x", 1)))
            .ToArray();
        var refused = commits.Where(commit => commit.IsFaulted).ToArray();
        await redis.GoOnAsync(Cancel);

        Assert.Equal(Beyond, refused.Length);
        var refusal = Assert.IsType<StoreUnavailableException>(refused[0].Exception!.InnerException);
        Assert.Contains($"{CommitLimits.WaitingCommitsMax} in all", refusal.Message, StringComparison.Ordinal);
        await LandedAsync(commits.Except(refused));
    }

    [Fact]
    public async Task Commits_OfAStoreThatAnswersLate_LandOnceAndAreAcknowledgedWhenItIsInTime()
    {
        await using var redis = await RedisServer.StartAsync("no", Cancel);
        await using var proxy = new DelayProxy(redis.Port);
        await using var session = Open(proxy.ConnectionString, Request);
        var state = new NoteState();
        var id = NoteRecord.IdIn(Partition, "note");
        await session.WriteAsync(id, state, state.State.Next("first", 1));

        // Two thirds of what a request may take: two seconds of three.
        proxy.Delay = Request * 2 / 3;
        await session.WriteAsync(id, state, state.State.Next("late", 1));
        proxy.Delay = TooLate;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => session.WriteAsync(id, state, state.State.Next("too late", 1)));
        proxy.Delay = TimeSpan.Zero;

        var found = await InsistAsync(() => session.ReadAsync(id));
        Assert.Equal(("too late", 3, "3"), (found.State.Text, found.State.FactsTotal, found.ETag));
        Assert.Equal(3, await session.Feed.GetHeadAsync(Partition, Cancel));
        await session.WriteAsync(id, found, found.State.Next("goes on", 1));
    }

    /// <summary>All, unless the machine is so busy that some wait longer than their callers would, and are told so.</summary>
    private static async Task<int> LandedAsync(IEnumerable<Task> commits)
    {
        var landed = 0;
        foreach (var commit in commits)
        {
            try
            {
                await commit;
                landed++;
            }
            catch (StoreUnavailableException exception) when (exception.Message.Contains("was not sent", StringComparison.Ordinal))
            {
                // Told in time.
            }
        }

        Assert.NotEqual(0, landed);
        return landed;
    }

    private static StoreSession Open(string connectionString, TimeSpan request, StalledDisk? disk = null) => StoreSession.Open(
        connectionString,
        configure: services =>
        {
            services.Configure<StoreOptions>(options => (options.RequestTimeout, options.AttemptsMax) = (request, Attempts));
            if (disk is not null)
            {
                services.AddSingleton<IDurabilityBarrier>(disk);
            }
        });

    /// <summary>Replies that were held back come before the next ones.</summary>
    private static async Task<T> InsistAsync<T>(Func<Task<T>> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await read();
            }
            catch (StoreUnavailableException) when (attempt < 10)
            {
                // Not yet.
            }
        }
    }
}

/// <summary>Takes what it is given, and from a moment on says of nothing that it is there.</summary>
internal sealed class StalledDisk : IDurabilityBarrier
{
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsStalled { get; set; }

    public void GoOn() => _goOn.SetResult();

    public void CheckRoom()
    {
    }

    public Task PassAsync(CancellationToken cancellationToken) => IsStalled ? _goOn.Task : Task.CompletedTask;
}
