using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Muster.Cli.Output;

/// <summary>The fields of a message that are set, one per line; nested ones with dots.</summary>
internal static class Details
{
    public static Grid Of(IMessage message)
    {
        var grid = new Grid().AddColumn(new GridColumn { NoWrap = true }).AddColumn();
        foreach (var (field, value) in Lines("", message))
        {
            grid.AddRow(new Text(field), new Text(value));
        }

        return grid;
    }

    internal static IEnumerable<(string Field, string Value)> Lines(string prefix, IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            var name = prefix + field.Name;
            if (value is IDictionary map)
            {
                // In the order of their names: a map has none of its own.
                foreach (var key in map.Keys.Cast<object>().OrderBy(key => $"{key}", StringComparer.Ordinal))
                {
                    yield return ($"{name}.{key}", $"{map[key]}");
                }
            }
            else if (field.IsRepeated)
            {
                foreach (var line in Many(name, field, value))
                {
                    yield return line;
                }
            }
            else if (field.HasPresence ? field.Accessor.HasValue(message) : !IsDefault(value))
            {
                foreach (var line in One(name, field, value))
                {
                    yield return line;
                }
            }
        }
    }

    private static IEnumerable<(string Field, string Value)> Many(string name, FieldDescriptor field, object value)
    {
        var index = 0;
        foreach (var item in (IEnumerable)value)
        {
            foreach (var line in One($"{name}[{index++}]", field, item))
            {
                yield return line;
            }
        }
    }

    private static IEnumerable<(string Field, string Value)> One(string name, FieldDescriptor field, object value) => value switch
    {
        Timestamp at => [(name, at.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null))],
        Duration span => [(name, span.ToTimeSpan().ToString())],
        IMessage nested => Lines(name + ".", nested),
        ByteString bytes => [(name, Convert.ToHexStringLower(bytes.Span))],
        System.Enum => [(name, EnumName(field, value))],
        _ => [(name, FormattableString.Invariant($"{value}"))],
    };

    /// <summary>The name in the .proto file without the enum's prefix.</summary>
    private static string EnumName(FieldDescriptor field, object value) => EnumNames.Of(field.EnumType, Convert.ToInt32(value, null));

    private static bool IsDefault(object value) => value switch
    {
        string text => text.Length == 0,
        ByteString bytes => bytes.IsEmpty,
        bool flag => !flag,
        double number => number == 0,
        _ => Convert.ToInt64(value, null) == 0,
    };
}
