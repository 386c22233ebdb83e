using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.Testing.Stores;

/// <summary>A record with a hot and a cold part that counts its own facts, so that a torn commit shows.</summary>
[GenerateSerializer, Alias("muster.testing.note")]
public sealed record NoteRecord : ICommitRecord
{
    [Id(0)] public string Text { get; init; } = "";

    /// <summary>All facts that were ever committed with this record.</summary>
    [Id(1)] public long FactsTotal { get; init; }

    public object? Cold { get; init; }

    public CommitAttachments Attachments { get; init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this with { Cold = cold };

    /// <summary>A grain id that lives in the named partition.</summary>
    public static GrainId IdIn(int partition, string name) => GrainId.Create(GrainTypes.RolloutPartition, $"default/{name}/{partition}");

    /// <summary>The next state, with as many facts as named.</summary>
    public NoteRecord Next(string text, int facts) => this with
    {
        Text = text,
        FactsTotal = FactsTotal + facts,
        Attachments = new CommitAttachments
        {
            Facts = [.. Enumerable.Range(0, facts).Select(n => new NoteWritten { Text = text, Number = FactsTotal + n + 1 })],
            Actor = Actor.Rule("tests"),
            At = DateTimeOffset.UnixEpoch,
        },
    };
}

[GenerateSerializer, Immutable, Alias("muster.testing.note-cold")]
public sealed record NoteCold([property: Id(0)] string Text);

[GenerateSerializer, Immutable, Alias("muster.testing.note-written")]
public sealed record NoteWritten : DomainEvent
{
    [Id(0)] public required string Text { get; init; }

    /// <summary>Counts the facts of its record, from 1.</summary>
    [Id(1)] public required long Number { get; init; }
}
