using System.Globalization;

namespace Muster.Domain.Inventory;

/// <summary>
/// A filter over rows in the language of AIP-160. Comparisons are <c>field = value</c> with <c>= != &lt; &lt;= &gt; &gt;= :</c>, joined
/// by AND, OR, NOT and parentheses; values bare or in double quotes with <c>\"</c> and <c>\\</c>; <c>*</c> in a text stands for any
/// characters. The empty filter matches everything.
/// </summary>
public sealed class InventoryFilter
{
    /// <summary>Longer than any filter a person writes; bounds the work of reading one, and fits a page token's query.</summary>
    public const int LengthMax = 4_000;

    /// <summary>Each may be evaluated for every row.</summary>
    public const int TestsMax = 100;

    /// <summary>Deeper than anybody reads; a bound for the stack.</summary>
    public const int DepthMax = 20;

    private InventoryFilter(FilterNode root) => Root = root;

    /// <summary>Matches everything.</summary>
    public static InventoryFilter All { get; } = new(new AllOf([]));

    /// <summary>The filter as it was read.</summary>
    public FilterNode Root { get; }

    /// <summary>Reads a filter whose fields are among <paramref name="fields"/>; a refusal names the column, from 1.</summary>
    public static (InventoryFilter Filter, FleetError? Error) Parse(string text, ImmutableArray<InventoryField> fields)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LengthMax)
        {
            return (All, Invalid(LengthMax + 1, $"The filter is longer than {LengthMax} characters."));
        }

        var parser = new FilterParser(text, fields);
        return parser.ReadAll() is { } root ? (new InventoryFilter(root), null) : (All, parser.Error);
    }

    /// <summary>All comparisons.</summary>
    public IEnumerable<FieldTest> Tests => TestsOf(Root);

    /// <summary>Whether it asks for what gateways tell.</summary>
    public bool LooksAtPresence => Tests.Any(test => InventoryFields.IsPresence(test.Path.Field.Name));

    /// <summary>Whether rows may begin or cease to match without a change that anybody is told of.</summary>
    public bool DependsOnClock => Tests.Any(test => test.DependsOnClock);

    /// <summary>
    /// A comparison without which nothing matches, with one value of a text, a choice or a number; null when there is none. What is kept by
    /// such values can be found without evaluating the filter.
    /// </summary>
    public FieldTest? FindRequired() => Root switch
    {
        FieldTest test when IsOneValue(test) => test,
        AllOf all => all.Parts.OfType<FieldTest>().FirstOrDefault(IsOneValue),
        _ => null,
    };

    /// <summary>
    /// A part without which nothing matches and that looks at one field only; null when there is none. Whether it holds follows from that
    /// field's value alone, so that the answer can be kept by value. Never one of presence, or of the clock.
    /// </summary>
    public (FieldPath Path, FilterNode Part)? FindGuard() => ConjunctsOf(Root, isNegated: false)
        .Select(part => (Paths: TestsOf(part).Select(test => test.Path).Distinct().ToArray(), Part: part))
        .Where(guard => guard.Paths.Length == 1 && CanGuard(guard.Part))
        .OrderBy(guard => guard.Paths[0].Field.Type is FieldType.Time or FieldType.Duration)
        .Select(guard => ((FieldPath, FilterNode)?)(guard.Paths[0], guard.Part))
        .FirstOrDefault();

    private static bool CanGuard(FilterNode part) =>
        TestsOf(part).All(test => !test.DependsOnClock && !InventoryFields.IsPresence(test.Path.Field.Name));

    /// <summary>The parts that all have to hold; what a NOT stands before is turned inside out.</summary>
    private static IEnumerable<FilterNode> ConjunctsOf(FilterNode node, bool isNegated) => (node, isNegated) switch
    {
        (AllOf all, false) => all.Parts.SelectMany(part => ConjunctsOf(part, false)),
        (AnyOf any, true) => any.Parts.SelectMany(part => ConjunctsOf(part, true)),
        (Not not, _) => ConjunctsOf(not.Part, !isNegated),
        _ => [isNegated ? new Not(node) : node],
    };

    private static bool IsOneValue(FieldTest test) => test is { Operator: FilterOperator.Equal, IsFromNow: false }
        && !InventoryFields.IsPresence(test.Path.Field.Name)
        && test.Path.Field.Type switch
        {
            FieldType.Text or FieldType.Map => test.Literal.Length > 0 && !test.Literal.Contains('*', StringComparison.Ordinal),
            FieldType.Choice or FieldType.Number => true,
            _ => false,
        };

    private static IEnumerable<FieldTest> TestsOf(FilterNode node) => node switch
    {
        AllOf all => all.Parts.SelectMany(TestsOf),
        AnyOf any => any.Parts.SelectMany(TestsOf),
        Not not => TestsOf(not.Part),
        FieldTest test => [test],
        _ => throw new UnreachableException($"Unknown filter part {node.GetType().Name}."),
    };

    /// <summary>Does it match? Durations beside an instant count from <paramref name="now"/>.</summary>
    public bool Matches(IFieldSource source, DateTimeOffset now) => Root.Matches(source, now);

    internal static FleetError Invalid(int column, string why) => FleetError.Of(
        ErrorKind.Invalid,
        "FILTER_INVALID",
        $"The filter cannot be read at column {column}: {why}",
        ("column", column.ToString(CultureInfo.InvariantCulture)));
}
