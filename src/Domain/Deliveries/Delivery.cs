namespace Muster.Domain.Deliveries;

/// <summary>How far the list of a delivery is taken in.</summary>
public enum DeliveryState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>An import began. One that broke off stays here until it is repeated.</summary>
    Importing = 1,

    /// <summary>The list was read to its end.</summary>
    Imported = 2,
}

/// <summary>A delivery and how its list was taken in last. Its devices are records of their own and name it.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery")]
public sealed record Delivery
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ResourceId Id { get; init; }

    [Id(2)] public required DeliveryState State { get; init; }

    /// <summary>Counts the imports of its list; only the last one may say how it ended.</summary>
    [Id(3)] public required int Run { get; init; }

    [Id(4)] public required DateTimeOffset BegunAt { get; init; }

    /// <summary>When the last import ended; null while it runs.</summary>
    [Id(5)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Of the last import that ended.</summary>
    [Id(6)] public DeliveryCounts Counts { get; init; }

    /// <summary>The first that were refused then, by their lines, at most <see cref="DeliveryRules.ErrorsMax"/>.</summary>
    [Id(7)] public ImmutableArray<DeliveryLineError> Errors { get; init; } = [];
}

/// <summary>What became of the lines of a list.</summary>
/// <param name="Created">Devices that are expected since.</param>
/// <param name="Unchanged">Devices that an earlier import of the same list had created.</param>
/// <param name="Refused">Lines that were not taken.</param>
[GenerateSerializer, Immutable, Alias("muster.delivery-counts")]
public readonly record struct DeliveryCounts(
    [property: Id(0)] int Created, [property: Id(1)] int Unchanged, [property: Id(2)] int Refused);

/// <summary>A line that was not taken, or one of several things that are wrong with it.</summary>
/// <param name="Line">Where it begins in the file, from 1.</param>
/// <param name="Serial">As it stands there; empty when it could not be read.</param>
/// <param name="Field">The column; empty for the line as a whole.</param>
/// <param name="Reason">A name of <c>muster.v1.ErrorReason</c>.</param>
/// <param name="Message">For people.</param>
[GenerateSerializer, Immutable, Alias("muster.delivery-line-error")]
public sealed record DeliveryLineError(
    [property: Id(0)] int Line,
    [property: Id(1)] string Serial,
    [property: Id(2)] string Field,
    [property: Id(3)] string Reason,
    [property: Id(4)] string Message);

/// <summary>An import of the list began.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery-begun")]
public sealed record DeliveryBegun([property: Id(0)] int Run) : DomainEvent;

/// <summary>The list was read to its end.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery-imported")]
public sealed record DeliveryImported([property: Id(0)] int Run, [property: Id(1)] DeliveryCounts Counts) : DomainEvent;
