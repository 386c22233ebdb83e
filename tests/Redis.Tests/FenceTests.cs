using System.Globalization;
using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

public sealed class FenceTests(StoreServers servers)
{
    private const int Partition = 13;

    private readonly string _fence = "rollout/default/" + Guid.NewGuid().ToString("N");

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WhenTheFenceWasRaised_IsRefusedAndNothingIsWritten(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        await session.Fences.RaiseAsync([Partition], _fence, 2, Cancel);
        var head = await session.Feed.GetHeadAsync(Partition, Cancel);

        await Assert.ThrowsAsync<FenceRaisedException>(async () =>
            await session.WriteAsync(id, await session.ReadAsync(id), Fenced("late", 1)));

        Assert.False((await session.ReadAsync(id)).RecordExists);
        Assert.Equal(head, await session.Feed.GetHeadAsync(Partition, Cancel));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Write_WithTheFenceAsExpected_Succeeds(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        var state = await session.ReadAsync(id);

        await session.WriteAsync(id, state, Fenced("absent counts as 0", 0));
        await session.Fences.RaiseAsync([Partition], _fence, 7, Cancel);
        await session.WriteAsync(id, state, Fenced("raised", 7));

        Assert.Equal("raised", (await session.ReadAsync(id)).State.Text);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Raise_ToALowerValue_KeepsTheHigher(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        var id = NoteRecord.IdIn(Partition, Guid.NewGuid().ToString("N"));
        await session.Fences.RaiseAsync([Partition], _fence, 10, Cancel);

        await session.Fences.RaiseAsync([Partition], _fence, 9, Cancel);

        await session.WriteAsync(id, await session.ReadAsync(id), Fenced("ten", 10));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Raise_InAllPartitions_RefusesInEach(StoreKind kind)
    {
        await using var session = servers.Open(kind);

        await session.Fences.RaiseAsync([.. Enumerable.Range(0, StoreSession.Partitions)], _fence, 1, Cancel);

        for (var partition = 0; partition < StoreSession.Partitions; partition++)
        {
            var id = NoteRecord.IdIn(partition, Guid.NewGuid().ToString("N"));
            await Assert.ThrowsAsync<FenceRaisedException>(async () =>
                await session.WriteAsync(id, await session.ReadAsync(id), Fenced("late", 0)));
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Raise_WhileWritersRun_NothingLandsAfterItReturned(StoreKind kind)
    {
        await using var session = servers.Open(kind);
        await using var other = servers.Open(kind);
        var writers = Enumerable.Range(0, 16).Select(n => WriteUntilFencedAsync(other, n)).ToArray();
        await Task.WhenAny(writers.Select(writer => writer.Started));

        await session.Fences.RaiseAsync([Partition], _fence, 1, Cancel);
        var head = await session.Feed.GetHeadAsync(Partition, Cancel);
        await Task.WhenAll(writers.Select(writer => writer.Ended));

        Assert.Equal(head, await session.Feed.GetHeadAsync(Partition, Cancel));
    }

    private (Task Started, Task Ended) WriteUntilFencedAsync(StoreSession session, int number)
    {
        var started = new TaskCompletionSource();
        return (started.Task, RunAsync());

        async Task RunAsync()
        {
            var id = NoteRecord.IdIn(Partition, number.ToString(CultureInfo.InvariantCulture) + Guid.NewGuid().ToString("N"));
            var state = await session.ReadAsync(id);
            try
            {
                while (true)
                {
                    await session.WriteAsync(id, state, Fenced("again", 0));
                    started.TrySetResult();
                }
            }
            catch (FenceRaisedException)
            {
                started.TrySetResult();
            }
        }
    }

    private NoteRecord Fenced(string text, long expected)
    {
        var next = new NoteRecord().Next(text, facts: 1);
        return next with { Attachments = next.Attachments with { Fences = [new Fence(_fence, expected)] } };
    }
}
