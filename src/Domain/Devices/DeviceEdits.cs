namespace Muster.Domain.Devices;

/// <summary>One label: what operators note of a device, for example <c>floor = 3</c>.</summary>
/// <param name="Name">1 to 63 of a-z, 0-9, <c>-</c>, <c>_</c>, <c>.</c>, <c>/</c>, beginning and ending with a letter or digit.</param>
/// <param name="Value">1 to 63 characters, no control characters.</param>
[GenerateSerializer, Immutable, Alias("muster.device-label")]
public sealed record DeviceLabel([property: Id(0)] string Name, [property: Id(1)] string Value);

/// <summary>Changes where a device is and what its labels say, both of which are the operators' own notes (AIP-134).</summary>
/// <param name="Site">The new site; empty for none; null to leave it.</param>
/// <param name="Set">Labels that get this value.</param>
/// <param name="Remove">Names of labels that go; one that is not there is no error.</param>
[GenerateSerializer, Immutable, Alias("muster.device-edit")]
public sealed record DeviceEdit(
    [property: Id(0)] string? Site,
    [property: Id(1)] ImmutableArray<DeviceLabel> Set,
    [property: Id(2)] ImmutableArray<string> Remove);

/// <summary>Decides what operators may note of a device.</summary>
public static class DeviceEdits
{
    /// <summary>More are a database; every row of the inventory holds them.</summary>
    public const int LabelsMax = 32;

    /// <summary>As Kubernetes has it; a filter names them often.</summary>
    public const int TextLengthMax = 63;

    /// <summary>What is wrong with a label's name; null when nothing is.</summary>
    public static string? CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= TextLengthMax && name.All(IsNameCharacter) && IsEdge(name[0]) && IsEdge(name[^1])
            ? null
            : $"is 1 to {TextLengthMax} of a-z, 0-9, '-', '_', '.', '/', with a letter or digit at both ends";
    }

    /// <summary>What is wrong with a label's value; null when nothing is.</summary>
    public static string? CheckValue(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Length is > 0 and <= TextLengthMax && !value.Any(char.IsControl)
            ? null
            : $"is 1 to {TextLengthMax} characters without control characters";
    }

    /// <summary>Applies an edit. A tombstone stays as it was; an edit that changes nothing is no fact.</summary>
    public static Decision<Device> Edit(Device device, DeviceEdit edit)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (Check(edit) is { } invalid)
        {
            return Decision.Refuse(device, invalid);
        }

        if (device.State == DeviceState.Decommissioned)
        {
            return Decision.Refuse(device, DeviceErrors.Tombstone(device.Id));
        }

        var before = device.Labels.IsDefault ? [] : device.Labels;
        var labels = Apply(before, edit);
        if (labels.Length > LabelsMax)
        {
            return Decision.Refuse(device, Invalid("labels", $"are at most {LabelsMax} of one device"));
        }

        var isMoved = edit.Site is { } site && site != device.Site;
        return !isMoved && labels.AsSpan().SequenceEqual(before.AsSpan())
            ? Decision.Unchanged(device)
            : Decision.Accept(
                device with { MovedTo = isMoved ? edit.Site : device.MovedTo, Labels = labels },
                new DeviceEdited(edit));
    }

    /// <summary>The first thing wrong with an edit; null when it can be applied to any device.</summary>
    public static FleetError? Check(DeviceEdit edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        if (edit.Site is { } site && (site.Length > DeviceLifecycle.SiteLengthMax || site.Any(char.IsControl)))
        {
            return Invalid("site", $"is at most {DeviceLifecycle.SiteLengthMax} characters without control characters");
        }

        foreach (var (name, value) in edit.Set)
        {
            if ((CheckName(name) ?? CheckValue(value)) is { } why)
            {
                return Invalid("labels", why);
            }
        }

        return null;
    }

    /// <summary>The labels after an edit, in the order of their names.</summary>
    public static ImmutableArray<DeviceLabel> Apply(ImmutableArray<DeviceLabel> labels, DeviceEdit edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        var next = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in labels.IsDefault ? [] : labels)
        {
            next[name] = value;
        }

        foreach (var name in edit.Remove)
        {
            next.Remove(name);
        }

        foreach (var (name, value) in edit.Set)
        {
            next[name] = value;
        }

        return [.. next.Select(label => new DeviceLabel(label.Key, label.Value))];
    }

    internal static FleetError Invalid(string field, string why) =>
        FleetError.Of(ErrorKind.Invalid, "DEVICE_EDIT_INVALID", $"The device cannot be edited: {field} {why}.", ("field", field));

    private static bool IsNameCharacter(char c) => IsEdge(c) || c is '-' or '_' or '.' or '/';

    private static bool IsEdge(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
}
