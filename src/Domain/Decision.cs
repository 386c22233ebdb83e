namespace Muster.Domain;

/// <summary>Something that happened and was committed; the facts of a partition in order are its change feed.</summary>
[GenerateSerializer, Immutable, Alias("muster.domain-event")]
public abstract record DomainEvent;

/// <summary>
/// What a pure rule decided: the next state with the facts that follow from it, the state unchanged, or a refusal.
/// </summary>
public sealed record Decision<TState>(TState Next, ImmutableArray<DomainEvent> Events, FleetError? Error);

/// <summary>Makes decisions. A decision that changes the state always has at least one fact.</summary>
public static class Decision
{
    /// <summary>The state changes; each change is told by at least one fact.</summary>
    public static Decision<TState> Accept<TState>(TState next, params ImmutableArray<DomainEvent> events)
    {
        if (events.IsDefaultOrEmpty)
        {
            throw new ArgumentException("A decision that changes the state needs at least one fact.", nameof(events));
        }

        return new(next, events, null);
    }

    /// <summary>Nothing changes and the caller is told so without an error, for example because he repeated himself.</summary>
    public static Decision<TState> Unchanged<TState>(TState current) => new(current, [], null);

    /// <summary>Nothing changes, and the caller is told why.</summary>
    public static Decision<TState> Refuse<TState>(TState current, FleetError error) => new(current, [], error);
}
