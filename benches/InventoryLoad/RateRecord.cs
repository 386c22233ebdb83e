using System.Globalization;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Domain;

namespace Muster.InventoryLoad;

/// <summary>A record of 600 bytes in the store, with a fact of about 120: what a change of a device's state takes.</summary>
[GenerateSerializer, Alias("muster.bench.rate")]
public sealed record RateRecord : ICommitRecord
{
    /// <summary>With header and type, the record has 600 bytes.</summary>
    private const int TextLength = 530;

    [Id(0)] public long Number { get; init; }

    [Id(1)] public string Text { get; init; } = new('x', TextLength);

    public object? Cold => null;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => this;

    /// <summary>In the partition of a device's record.</summary>
    public static GrainId IdOf(int caller) => GrainId.Create(GrainTypes.Device, KeyOf(caller));

    public static string KeyOf(int caller) => string.Create(CultureInfo.InvariantCulture, $"b/{caller}");

    public RateRecord Next(DateTimeOffset at) => this with
    {
        Number = Number + 1,
        Attachments = new CommitAttachments { Facts = [new RateFact(Number + 1)], Actor = Actor.Operator("b"), At = at },
    };
}

[GenerateSerializer, Immutable, Alias("muster.bench.fact")]
public sealed record RateFact([property: Id(0)] long Number) : DomainEvent;
