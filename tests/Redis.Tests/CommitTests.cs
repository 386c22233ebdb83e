using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

public sealed class CommitTests(StoreServers servers)
{
    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Write_NewRecord_IsReadBackWithVersionOne(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(3, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        Assert.False(state.RecordExists);

        await session.WriteAsync(id, state, state.State.Next("first", facts: 1));

        var read = await session.ReadAsync(id);
        Assert.True(read.RecordExists);
        Assert.Equal("1", read.ETag);
        Assert.Equal("1", state.ETag);
        Assert.Equal("first", read.State.Text);
        Assert.Empty(read.State.Attachments.Facts);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WithoutFacts_LeavesTheFeedAlone(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(4, Guid.NewGuid().ToString("N"));
        var head = await session.Feed.GetHeadAsync(4, Cancel);

        await session.WriteAsync(id, await session.ReadAsync(id), new NoteRecord { Text = "alone" });

        Assert.Equal(head, await session.Feed.GetHeadAsync(4, Cancel));
        Assert.Equal("alone", (await session.ReadAsync(id)).State.Text);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_ColdPart_IsWrittenOnlyWhenItChanged(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(5, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);
        var first = state.State.Next("one", facts: 1) with { Cold = new NoteCold("settings") };

        await session.WriteAsync(id, state, first with { Attachments = first.Attachments with { ColdChanged = true } });
        await session.WriteAsync(id, state, first.Next("two", facts: 1) with { Cold = new NoteCold("not written") });
        var kept = (await session.ReadAsync(id)).State;
        var last = kept.Next("three", facts: 1) with { Cold = null };
        await session.WriteAsync(id, state, last with { Attachments = last.Attachments with { ColdChanged = true } });

        Assert.Equal(new NoteCold("settings"), kept.Cold);
        Assert.Equal("two", kept.Text);
        Assert.Null((await session.ReadAsync(id)).State.Cold);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_TwoWritersOfOneVersion_OneConflicts(StoreKind kind)
    {
        await using var one = servers.Open(kind);
        await using var other = servers.Open(kind);
        var id = NoteRecord.IdIn(6, Guid.NewGuid().ToString("N"));
        var (mine, theirs) = (await one.ReadAsync(id), await other.ReadAsync(id));
        await one.WriteAsync(id, mine, mine.State.Next("mine", facts: 1));
        var head = await one.Feed.GetHeadAsync(6, Cancel);

        await Assert.ThrowsAsync<CommitConflictException>(() => other.WriteAsync(id, theirs, theirs.State.Next("theirs", facts: 2)));

        Assert.Equal("mine", (await one.ReadAsync(id)).State.Text);
        Assert.Equal(head, await one.Feed.GetHeadAsync(6, Cancel));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_ManyRacesOfTwoWriters_EachHasOneWinner(StoreKind kind)
    {
        await using var one = servers.Open(kind);
        await using var other = servers.Open(kind);
        for (var race = 0; race < 200; race++)
        {
            var id = NoteRecord.IdIn(race % StoreSession.Partitions, Guid.NewGuid().ToString("N"));
            var (left, right) = (await one.ReadAsync(id), await other.ReadAsync(id));

            var wins = await Task.WhenAll(
                WinsAsync(one.WriteAsync(id, left, left.State.Next("left", facts: 1))),
                WinsAsync(other.WriteAsync(id, right, right.State.Next("right", facts: 1))));

            Assert.Single(wins, won => won);
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_TooLarge_IsRefusedAndNothingIsWritten(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(7, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => session.WriteAsync(id, state, new NoteRecord { Text = new string('x', 2 * 1024 * 1024) }));

        Assert.False((await session.ReadAsync(id)).RecordExists);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_AsLargeAsAllowed_IsReadBack(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var text = new string('x', 1_000_000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            var id = NoteRecord.IdIn(7, Guid.NewGuid().ToString("N"));
            await session.WriteAsync(id, await session.ReadAsync(id), new NoteRecord { Text = text });
            Assert.Equal(text, (await session.ReadAsync(id)).State.Text);
        }));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_AsManyFactsAsAllowed_AreAllInTheFeed(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            var id = NoteRecord.IdIn(8, Guid.NewGuid().ToString("N"));
            await session.WriteAsync(id, await session.ReadAsync(id), new NoteRecord().Next("many", facts: 640));
        }));

        var feed = await session.ReadFeedAsync(8, Cancel);
        Assert.Equal(8 * 640, feed.Count(entry => entry.Fact is NoteWritten { Text: "many" }));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Clear_Always_IsRefused(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(7, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);

        await Assert.ThrowsAsync<NotSupportedException>(() => session.Storage.ClearStateAsync("state", id, state));
    }

    private static async Task<bool> WinsAsync(Task write)
    {
        try
        {
            await write;
            return true;
        }
        catch (CommitConflictException)
        {
            return false;
        }
    }
}
