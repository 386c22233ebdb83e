using System.Text.RegularExpressions;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>
/// Counts exported devices for a simulation: all together, or those that are alike together where waves look at what they are. Which fields
/// that is, the server judges; this knows those that exports have.
/// </summary>
internal sealed partial class FleetCount
{
    private const string Label = "labels.";

    private static readonly Dictionary<string, Func<V1.Device, string>> s_fields = new(StringComparer.Ordinal)
    {
        ["name"] = device => device.Name[(device.Name.LastIndexOf('/') + 1)..],
        ["model"] = device => device.Model,
        ["track"] = device => device.Track,
        ["site"] = device => device.Site,
        ["os_floor"] = device => device.OsFloor,
        ["os_version"] = device => device.OsVersion,
        ["image_digest"] = device => device.ImageDigest,
        ["secure_boot"] = device => device.SecureBoot ? "true" : "false",
    };

    private readonly List<string> _fields;
    private readonly Dictionary<string, V1.SimulatedGroup> _groups = new(StringComparer.Ordinal);
    private int _members;
    private int _connected;

    public FleetCount(V1.Rollout? rollout)
    {
        var waves = rollout?.Waves.ToList() ?? [];
        _fields =
        [
            .. waves.SelectMany(wave => wave.StratifyBy.Prepend(wave.Filter)).SelectMany(text => Names().Matches(text))
                .Select(match => match.Value)
                .Where(name => s_fields.ContainsKey(name) || name.StartsWith(Label, StringComparison.Ordinal))
                .Distinct(StringComparer.Ordinal),
        ];
        HasGroups = waves.Exists(wave => wave.Filter.Length > 0 || wave.StratifyBy.Count > 0);
    }

    private bool HasGroups { get; }

    /// <summary>Those in service count.</summary>
    public void Add(V1.Device device)
    {
        if (device.State != V1.DeviceState.InService)
        {
            return;
        }

        var connected = device.Presence is { Connected: true } ? 1 : 0;
        _members++;
        _connected += connected;
        if (HasGroups)
        {
            var group = GroupOf([.. _fields.Select(field => ValueOf(device, field))]);
            group.Members++;
            group.Connected += connected;
        }
    }

    public V1.SimulatedFleet ToFleet()
    {
        var fleet = new V1.SimulatedFleet();
        if (HasGroups)
        {
            fleet.Groups.AddRange(_groups.OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.Value));
        }
        else
        {
            (fleet.Members, fleet.Connected) = (_members, _connected);
        }

        return fleet;
    }

    private V1.SimulatedGroup GroupOf(string[] values)
    {
        var key = string.Join('\n', values);
        if (!_groups.TryGetValue(key, out var group))
        {
            group = new V1.SimulatedGroup { Connected = 0 };
            for (var i = 0; i < values.Length; i++)
            {
                group.Fields.Add(_fields[i], values[i]);
            }

            _groups.Add(key, group);
        }

        return group;
    }

    private static string ValueOf(V1.Device device, string field) => s_fields.TryGetValue(field, out var read)
        ? read(device)
        : device.Labels.TryGetValue(field[Label.Length..], out var value) ? value : "";

    /// <summary>Whatever may be the name of a field; a value that looks like one only makes groups smaller.</summary>
    [GeneratedRegex(@"[a-z_]+(?:\.[a-z0-9_./-]+)?", RegexOptions.CultureInvariant)]
    private static partial Regex Names();
}
