using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>What the shares have to know of the waves to sort their members into classes.</summary>
/// <param name="Filters">By listed wave; empty text for a wave without one.</param>
/// <param name="Fields">Those that any wave is stratified by, each once, in the order in which the waves name them.</param>
[GenerateSerializer, Immutable, Alias("muster.wave-sorting")]
public sealed record WaveSorting(
    [property: Id(0)] ImmutableArray<string> Filters,
    [property: Id(1)] ImmutableArray<string> Fields)
{
    /// <summary>As many as rows are counted by: with a fourth field hardly two devices have the same values.</summary>
    public const int FieldsMax = InventoryGrouping.FieldsMax;

    /// <summary>Null when no wave has a filter or strata: then all members are of one class.</summary>
    public static WaveSorting? Of(ImmutableArray<WaveSpec> waves) => waves.All(wave => !wave.HasFilter && !wave.IsStratified)
        ? null
        : new([.. waves.Select(wave => wave.Filter ?? "")], FieldsOf(waves));

    /// <summary>The fields that the waves are stratified by.</summary>
    public static ImmutableArray<string> FieldsOf(ImmutableArray<WaveSpec> waves) =>
        [.. waves.SelectMany(wave => wave.IsStratified ? wave.StratifyBy : []).Distinct(StringComparer.Ordinal)];
}

/// <summary>Sorts members into classes; what is equal is the same object.</summary>
public sealed class MemberSorter
{
    /// <summary>A cut keeps the values of every stratum. What is longer counts as its beginning.</summary>
    public const int ValueCharactersMax = 100;

    private readonly ImmutableArray<InventoryFilter?> _filters;
    private readonly ImmutableArray<GroupKey> _keys;
    private readonly Dictionary<MemberClass, MemberClass> _known = [];

    /// <summary>Of a valid spec (<see cref="WaveRules"/>).</summary>
    public MemberSorter(WaveSorting sorting)
    {
        ArgumentNullException.ThrowIfNull(sorting);
        _filters = [.. sorting.Filters.Select(Read)];
        _keys = [.. sorting.Fields.Select(field => WaveRules.ReadField(field).Key
            ?? throw new InvalidOperationException($"The field '{field}' of a wave was accepted and cannot be read."))];
        Asked = [.. Enumerable.Range(0, _filters.Length).Where(wave => NamesSettings(_filters[wave]))];
    }

    /// <summary>Waves whose filter names what rows of lists leave out: whether they match is the inventory's to say.</summary>
    public ImmutableArray<int> Asked { get; }

    /// <summary>How many classes there are so far.</summary>
    public int ClassCount => _known.Count;

    /// <summary>The class of a row.</summary>
    /// <param name="row">The row of a list, with its presence.</param>
    /// <param name="now">Durations beside an instant count from it.</param>
    /// <param name="matches">What the inventory said of a wave's filter (<see cref="Asked"/>); null when the row knows everything.</param>
    public MemberClass ClassOf(IFieldSource row, DateTimeOffset now, Func<int, bool>? matches)
    {
        ArgumentNullException.ThrowIfNull(row);
        var bits = 0u;
        for (var wave = 0; wave < _filters.Length; wave++)
        {
            if (_filters[wave] is { } filter && (matches is not null && Asked.Contains(wave) ? matches(wave) : filter.Matches(row, now)))
            {
                bits |= 1u << wave;
            }
        }

        var found = new MemberClass(bits, [.. _keys.Select(key => Show(key, row))]);
        if (_known.TryGetValue(found, out var known))
        {
            return known;
        }

        _known.Add(found, found);
        return found;
    }

    private static string Show(GroupKey key, IFieldSource row)
    {
        var value = key.Show(row.Field(key.Path.Field.Name, key.Path.Key));
        return value.Length <= ValueCharactersMax ? value : value[..ValueCharactersMax];
    }

    private static bool NamesSettings(InventoryFilter? filter) =>
        filter is not null && filter.Tests.Any(test => test.Path.Field.Name == WaveRules.SettingsField);

    private static InventoryFilter? Read(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var (filter, error) = InventoryFilter.Parse(text, InventoryFields.Device);
        return error is null
            ? filter
            : throw new InvalidOperationException($"The filter of a wave was accepted and cannot be read: {error.Message}");
    }
}
