namespace Muster.Domain.Rollouts;

/// <summary>A budget of its own for each value of a field (rollouts.md 12): devices that do the same thing do not fail together.</summary>
/// <param name="Field">One that devices are counted by, such as <c>site</c> or <c>labels.redundancy_group</c>.</param>
/// <param name="Limit">
/// Members of one value that may be offered and without an outcome at a time: a count, or percent of the members with that value. There is
/// always room for one.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.value-budget")]
public readonly record struct ValueBudget([property: Id(0)] string Field, [property: Id(1)] Amount Limit)
{
    /// <summary>Each costs an offer two commits; with a fourth field hardly two devices have the same values.</summary>
    public const int BudgetsMax = 3;

    /// <summary>
    /// Seats of one group: they are in one record, some 20 kB. Who lets more than so many devices of one value reboot together limits them
    /// by <see cref="RolloutSpec.MaxUnavailable"/>.
    /// </summary>
    public const int SeatsMax = 1_024;

    /// <summary>A value is kept once for each partition that has members of it. What is longer counts as its beginning.</summary>
    public const int ValueCharactersMax = 100;

    public override string ToString() => $"{Field}={Limit}";

    /// <summary>How many members of a group may hold a seat at a time.</summary>
    /// <param name="limit">Of the budget.</param>
    /// <param name="known">Members of the group that are known: never more than there are, so that a percentage errs to fewer.</param>
    public static int SeatsOf(Amount limit, int known) => (int)Math.Min(OfferPermits.UnavailableMax(limit, known), SeatsMax);
}

/// <summary>The members that have one value in the field of a budget.</summary>
/// <param name="Field">The budget's.</param>
/// <param name="Value">As the API writes it; never empty.</param>
[GenerateSerializer, Immutable, Alias("muster.group-name")]
public readonly record struct GroupName([property: Id(0)] string Field, [property: Id(1)] string Value)
{
    public override string ToString() => $"{Field} = {Value}";
}
