using System.Globalization;
using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>Devices of a simulated fleet that are alike.</summary>
/// <param name="Members">At least 1.</param>
/// <param name="Connected">Those of them with a session at the freeze.</param>
/// <param name="Fields">The values of the fields that waves look at, by their names such as <c>site</c> or <c>labels.floor</c>.</param>
public sealed record SimulatedGroup(int Members, int Connected, ImmutableDictionary<string, string> Fields)
{
    /// <summary>As many as a rollout's members may be told apart.</summary>
    public const int GroupsMax = MemberClass.ClassesMax;

    private const string Session = "connected";

    /// <summary>Everything that is wrong with the groups for these waves.</summary>
    internal static void Check(SimulatedFleet fleet, ImmutableArray<WaveSpec> waves, ImmutableArray<SpecProblem>.Builder problems)
    {
        var named = NamedBy(waves).ToList();
        if (fleet.Groups.Length > GroupsMax)
        {
            problems.Add(new("groups", $"are at most {GroupsMax}"));
            return;
        }

        if (fleet.Groups.IsEmpty && WaveSorting.Of(waves) is not null)
        {
            problems.Add(new("groups", "say what the devices are, for the filters and strata of the waves"));
        }

        if (named.FindAll(name => name.Path.Field.Type is FieldType.Time or FieldType.Duration) is { Count: > 0 } dated)
        {
            problems.Add(new("waves", $"name {Names(dated)}: dates and durations are not simulated"));
        }

        for (var i = 0; i < fleet.Groups.Length; i++)
        {
            var group = fleet.Groups[i];
            if (group.Members < 1 || group.Connected < 0 || group.Connected > group.Members)
            {
                problems.Add(new($"groups[{i}]", "has 1 or more members, and from 0 to all of them connected"));
            }

            if (named.FindAll(name => !group.Knows(name.Path)) is { Count: > 0 } unknown)
            {
                problems.Add(new($"groups[{i}].fields", $"does not have {Names(unknown)}"));
            }
        }
    }

    /// <summary>Its members as a filter sees them.</summary>
    internal IFieldSource Seen(bool connected) => new Source(Fields, connected);

    private static string Names(List<(string Wave, FieldPath Path)> named) =>
        string.Join(", ", named.Select(name => $"{name.Path} (of {name.Wave})"));

    private bool Knows(FieldPath path) => path.Field.Name == Session || Fields.ContainsKey(path.ToString());

    private static IEnumerable<(string Wave, FieldPath Path)> NamedBy(ImmutableArray<WaveSpec> waves) => waves.SelectMany((wave, i) =>
    {
        var filter = InventoryFilter.Parse(wave.Filter ?? "", InventoryFields.Device).Filter;
        ImmutableArray<string> strata = wave.IsStratified ? wave.StratifyBy : [];
        return filter.Tests.Select(test => ($"waves[{i}].filter", test.Path))
            .Concat(strata.Select(field => WaveRules.ReadField(field).Key)
                .OfType<GroupKey>().Select(key => ($"waves[{i}].stratify_by", key.Path)))
            .Distinct();
    });

    private sealed class Source(ImmutableDictionary<string, string> fields, bool connected) : IFieldSource
    {
        public FieldValue Field(string name, string key)
        {
            var field = InventoryFields.Device.Single(one => one.Name == name);
            if (name == Session)
            {
                return FieldValue.Of(connected);
            }

            var value = fields.GetValueOrDefault(new FieldPath(field, key).ToString(), "");
            return field.Type switch
            {
                FieldType.Text or FieldType.Version or FieldType.Map => FieldValue.Of(value),
                FieldType.Choice => FieldValue.Of((long)field.IndexOf(value)),
                FieldType.Number => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    ? FieldValue.Of(number)
                    : FieldValue.None,
                FieldType.Time or FieldType.Duration => FieldValue.None,
                FieldType.Unspecified => throw new UnreachableException($"Field {name} has no type."),
                _ => throw new UnreachableException($"Unknown field type {field.Type}."),
            };
        }
    }
}
