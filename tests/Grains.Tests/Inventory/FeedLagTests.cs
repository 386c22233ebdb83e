using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Grains.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Inventory;

/// <summary>A durable reader that stops and goes on, on both stores.</summary>
public sealed class FeedLagTests
{
    private const int Partition = 3;

    /// <summary>Far above what any step takes; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, InlineData(false), InlineData(true)]
    public async Task Feed_WithADurableReaderThatStopped_AlarmsRefusesCommitsAndGoesOnWhenItDoes(bool isEmbedded)
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded);
        var audit = new DurableReader("audit");
        var inventory = silo.Grains.GetInventory(Partition);
        await silo.Store.Readers.RegisterAsync(Partition, audit, FeedPosition.Start, Cancel);
        var writer = new Writer(silo.Store);

        await writer.WriteAsync((int)FeedLimits.LagAlarm - 1_000);
        await inventory.ListAsync(Rows);
        Assert.Equal(0, silo.Log.Count(LogLevel.Warning, "audit"));
        await writer.WriteAsync(3_000);
        await inventory.ListAsync(Rows);
        await writer.WriteAsync(3_000);
        await inventory.ListAsync(Rows);

        // Once, however often it is looked at.
        Assert.Equal(1, silo.Log.Count(LogLevel.Warning, $"partition {Partition}: reader audit is "));
        Assert.True(LagOf(Partition) > FeedLimits.LagAlarm);
        Assert.Equal(new ReaderLag("audit", writer.Facts), (await inventory.VerifyAsync()).SlowestReader);
        Assert.Equal(0, await silo.Store.Feed.GetTrimmedAsync(Partition, Cancel));

        await Assert.ThrowsAsync<FeedFullException>(() => writer.WriteAsync(100_000));
        await inventory.ListAsync(Rows);
        Assert.Equal(0, await silo.Store.Feed.GetTrimmedAsync(Partition, Cancel));
        Assert.Equal(writer.Facts, await silo.Store.Feed.GetHeadAsync(Partition, Cancel));

        var read = await ReadAllAsync(silo.Store, audit);

        Assert.Equal(Enumerable.Range(1, (int)writer.Facts).Select(n => (long)n), read.Select(entry => entry.Sequence));
        Assert.Equal(Enumerable.Range(1, (int)writer.Facts).Select(n => (long)n), read.Select(entry => ((NoteWritten)entry.Fact).Number));

        // The tail's tick trims; nobody nudges and nobody asks.
        await UntilAsync(() => silo.Log.Count(LogLevel.Information, $"partition {Partition}: its readers have caught up") == 1);
        await writer.WriteAsync(1);
        Assert.Equal(1, silo.Log.Count(LogLevel.Warning, $"partition {Partition}: reader audit is "));
        Assert.Equal(1, (await inventory.VerifyAsync()).SlowestReader?.Entries);
        Assert.Equal(FeedContinuity.Trimmed, (await silo.Store.Feed.FollowAsync(Partition, FeedPosition.Start, 1, Cancel)).Continuity);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Inventory_OfATailThatWasTrimmedAway_IsBuiltAgain(bool isEmbedded)
    {
        await using var silo = await StoreSilo.StartAsync(isEmbedded);
        var inventory = silo.Grains.GetInventory(Partition);
        await inventory.ListAsync(Rows);
        var writer = new Writer(silo.Store);

        // Its tick may read what was written before it is trimmed; then once more.
        await UntilAsync(async () =>
        {
            await writer.WriteAsync(1_000);
            await silo.Store.Trimmer.TrimAsync(Partition, Cancel);
            await inventory.ListAsync(Rows);
            return silo.Log.Count(LogLevel.Error, $"Feed of partition {Partition} is Trimmed") > 0;
        });

        Assert.Equal(0, (await inventory.VerifyAsync()).Differences);
    }

    private static RowQuery Rows { get; } = new(TenantId.Default, GrainTypes.Device, "", "", 10);

    private static long LagOf(int partition)
    {
        var lag = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == FeedInstruments.LagName)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            lag = tags.ToArray().Contains(new KeyValuePair<string, object?>("partition", partition)) ? Math.Max(lag, value) : lag);
        listener.Start();
        listener.RecordObservableInstruments();
        return lag;
    }

    private static async Task<List<FeedEntry>> ReadAllAsync(StoreSession store, DurableReader reader)
    {
        var read = new List<FeedEntry>();
        var position = (await store.Readers.RegisterAsync(Partition, reader, FeedPosition.Start, Cancel)).Position;
        for (FeedPage? page = null; page is not { IsAtEnd: true };)
        {
            page = await store.Feed.FollowAsync(Partition, position, 1_000, Cancel);
            Assert.Equal(FeedContinuity.Follows, page.Continuity);
            read.AddRange(page.Entries);
            position = page.Next;
            Assert.Equal(ReaderStatus.Held, (await store.Readers.AdvanceAsync(Partition, reader, position, Cancel)).Status);
        }

        return read;
    }

    private static Task UntilAsync(Func<bool> expected) => UntilAsync(() => Task.FromResult(expected()));

    private static async Task UntilAsync(Func<Task<bool>> expected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await expected())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "It did not come to that.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancel);
        }
    }

    /// <summary>One record that grows by facts.</summary>
    private sealed class Writer(StoreSession store)
    {
        private const int FactsPerCommit = 600;
        private readonly GrainId _id = NoteRecord.IdIn(Partition, "writer");
        private NoteState? _state;

        /// <summary>Those that are acknowledged.</summary>
        public long Facts { get; private set; }

        public async Task WriteAsync(int facts)
        {
            _state ??= await store.ReadAsync(_id);
            for (var left = facts; left > 0; left -= FactsPerCommit)
            {
                var known = _state.State;
                try
                {
                    await store.WriteAsync(_id, _state, known.Next("x", Math.Min(left, FactsPerCommit)));
                }
                catch
                {
                    _state.State = known;
                    throw;
                }

                Facts += Math.Min(left, FactsPerCommit);
            }
        }
    }
}
