using Muster.Contracts;
using Muster.Contracts.Commit;

namespace Muster.Redis.Tests;

/// <summary>Records taken from one kind of store into the other.</summary>
public sealed class ArchiveTests(StoreServers servers)
{
    private const int Partition = 8;

    /// <summary>Several pages.</summary>
    private const int Records = 1_200;

    public static TheoryData<StoreKind> Both => StoreServers.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static CommitAttachments Imported => new NoteRecord().Next("imported", facts: 1).Attachments;

    [Theory, MemberData(nameof(Both))]
    public async Task Records_TakenToAnotherStore_AreTheSameThere(StoreKind kind)
    {
        await using var from = servers.Open(kind);
        await using var to = servers.Open(kind == StoreKind.Redis ? StoreKind.Embedded : StoreKind.Redis);
        var batch = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, Records)
            .Select(n => WriteTwiceAsync(from, NoteRecord.IdIn(Partition, $"{batch}-{n}"), $"{n}")));
        var head = await to.Feed.GetHeadAsync(Partition, Cancel);

        var packed = await ReadAsync(from, $"default/{batch}-*");
        var written = await Task.WhenAll(packed.Select(record => to.Archive.WriteAsync(record, Imported)));

        Assert.Equal(Records, packed.Select(record => record.Key).Distinct().Count());
        Assert.DoesNotContain(false, written);
        var id = NoteRecord.IdIn(Partition, $"{batch}-7");
        var there = await to.ReadAsync(id);
        Assert.Equal(("7", "2"), (there.State.Text, there.ETag));
        Assert.Equal("cold of 7", Assert.IsType<NoteCold>(there.State.Cold).Text);
        await to.WriteAsync(id, there, there.State.Next("goes on", facts: 1));
        Assert.Equal("3", there.ETag);
        Assert.True(await to.Feed.GetHeadAsync(Partition, Cancel) >= head + Records + 1);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Record_WrittenAgain_IsThereOnceAndAnotherOfItsKeyIsLeft(StoreKind kind)
    {
        await using var from = servers.Open(kind);
        await using var to = servers.Open(kind == StoreKind.Redis ? StoreKind.Embedded : StoreKind.Redis);
        var name = Guid.NewGuid().ToString("N");
        var id = NoteRecord.IdIn(Partition, name);
        await WriteTwiceAsync(from, id, "first");
        var packed = Assert.Single(await ReadAsync(from, $"default/{name}/*"));

        var first = await to.Archive.WriteAsync(packed, Imported);
        var again = await to.Archive.WriteAsync(packed, Imported);
        var there = await to.ReadAsync(id);
        await to.WriteAsync(id, there, there.State.Next("moved on", facts: 1));
        var late = await to.Archive.WriteAsync(packed, Imported);

        Assert.Equal((true, true, false), (first, again, late));
        Assert.Equal("moved on", (await to.ReadAsync(id)).State.Text);
    }

    [Fact]
    public async Task Unpack_OfDamagedBytes_SaysWhichRecord()
    {
        await using var session = servers.Open(StoreKind.Redis);
        var name = Guid.NewGuid().ToString("N");
        await WriteTwiceAsync(session, NoteRecord.IdIn(Partition, name), "first");
        var packed = Assert.Single(await ReadAsync(session, $"default/{name}/*"));

        var refusal = Assert.Throws<RecordUnreadableException>(
            () => session.Archive.Unpack(packed with { Bytes = packed.Bytes[..^3] }));

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    private static async Task WriteTwiceAsync(StoreSession session, GrainId id, string text)
    {
        var state = new NoteState();
        await session.WriteAsync(id, state, new NoteRecord().Next("before", facts: 1));
        var next = state.State.Next(text, facts: 1);
        await session.WriteAsync(id, state, next with
        {
            Cold = new NoteCold($"cold of {text}"),
            Attachments = next.Attachments with { ColdChanged = true },
        });
    }

    private static async Task<List<PackedRecord>> ReadAsync(StoreSession session, string keys)
    {
        var records = new List<PackedRecord>();
        for (var next = ""; next is not null;)
        {
            var page = await session.Archive.ReadAsync(Partition, GrainTypes.RolloutPartition, keys, next, Cancel);
            records.AddRange(page.Records);
            next = page.Next;
        }

        return records;
    }
}
