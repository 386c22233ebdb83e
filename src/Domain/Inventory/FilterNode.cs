namespace Muster.Domain.Inventory;

/// <summary>A part of a filter, as it was read.</summary>
public abstract record FilterNode
{
    /// <summary>
    /// Does it hold for what <paramref name="source"/> says? Durations beside an instant count from <paramref name="now"/>.
    /// </summary>
    public abstract bool Matches(IFieldSource source, DateTimeOffset now);
}

/// <summary>Every part holds.</summary>
public sealed record AllOf(ImmutableArray<FilterNode> Parts) : FilterNode
{
    public override bool Matches(IFieldSource source, DateTimeOffset now)
    {
        foreach (var part in Parts)
        {
            if (!part.Matches(source, now))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>At least one part holds.</summary>
public sealed record AnyOf(ImmutableArray<FilterNode> Parts) : FilterNode
{
    public override bool Matches(IFieldSource source, DateTimeOffset now)
    {
        foreach (var part in Parts)
        {
            if (part.Matches(source, now))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>The part does not hold.</summary>
public sealed record Not(FilterNode Part) : FilterNode
{
    public override bool Matches(IFieldSource source, DateTimeOffset now) => !Part.Matches(source, now);
}
