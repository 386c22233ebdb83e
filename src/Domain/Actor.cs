namespace Muster.Domain;

/// <summary>Who caused a change.</summary>
public enum ActorKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>A person or a program that called the operators' API.</summary>
    Operator = 1,

    /// <summary>A device that proved its identity by its TLS client certificate.</summary>
    Device = 2,

    /// <summary>A rule of Muster itself: a rollout, a policy, a date that passed.</summary>
    Rule = 3,
}

/// <summary>
/// Who caused a change: <c>operator/anna</c>, <c>device/B8A44F000001</c>, <c>rule/rollouts.2026-09</c>. Every fact has one.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.actor")]
public readonly record struct Actor([property: Id(0)] ActorKind Kind, [property: Id(1)] string Name)
{
    public static Actor Operator(string name) => new(ActorKind.Operator, name);

    public static Actor Device(string name) => new(ActorKind.Device, name);

    public static Actor Rule(string name) => new(ActorKind.Rule, name);

    public override string ToString() => Kind switch
    {
        ActorKind.Operator => $"operator/{Name}",
        ActorKind.Device => $"device/{Name}",
        ActorKind.Rule => $"rule/{Name}",
        ActorKind.Unspecified => "unspecified",
        _ => throw new UnreachableException($"Unknown actor kind {Kind}."),
    };
}
