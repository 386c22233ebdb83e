using System.Text;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>Which settings a rollout may offer; the names are the vendor's own, as devices report them.</summary>
public static class SettingRules
{
    /// <summary>As long as a name that a device may report: another could never be seen to be set.</summary>
    public const int NameCharactersMax = 200;

    /// <summary>As long as a value that a device may report.</summary>
    public const int ValueCharactersMax = 1_000;

    /// <summary>More settings than that are a new configuration, which is easier to look through in several rollouts.</summary>
    public const int SettingsMax = 50;

    /// <summary>
    /// Names and values in UTF-8: about what the signature of an image takes in the same place, the part of a device's record that is
    /// written with every hello.
    /// </summary>
    public const int BytesMax = 4_096;

    /// <summary>Everything that is wrong with them, each with its field, such as <c>settings[2].name</c>; none for no settings.</summary>
    public static IEnumerable<SpecProblem> Validate(IReadOnlyList<DeviceSetting> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Count > SettingsMax)
        {
            // Not one by one: whoever sends thousands is told once.
            yield return new("settings", $"has at most {SettingsMax} settings");
            yield break;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < settings.Count; i++)
        {
            var (name, value) = settings[i];
            if (name.Length is 0 or > NameCharactersMax || name.Any(char.IsControl))
            {
                yield return new($"settings[{i}].name", $"has 1 to {NameCharactersMax} characters, and no control characters");
            }
            else if (!names.Add(name))
            {
                yield return new($"settings[{i}].name", "occurs twice");
            }

            if (value.Length > ValueCharactersMax || value.Any(char.IsControl))
            {
                yield return new($"settings[{i}].value", $"has at most {ValueCharactersMax} characters, and no control characters");
            }
        }

        if (settings.Sum(setting => Encoding.UTF8.GetByteCount(setting.Name) + Encoding.UTF8.GetByteCount(setting.Value)) > BytesMax)
        {
            yield return new("settings", $"has names and values of at most {BytesMax} bytes together");
        }
    }

    /// <summary>As a spec has them: in the order of their names, so that the same settings are the same spec.</summary>
    public static SettingSet Order(IEnumerable<DeviceSetting> settings) =>
        SettingSet.Of([.. settings.OrderBy(setting => setting.Name, StringComparer.Ordinal)]);
}
