using System.Text;
using Google.Protobuf.Reflection;

namespace Muster.Cli.Output;

/// <summary>Names of enum values as filters take them: <c>IN_SERVICE</c> for <c>DEVICE_STATE_IN_SERVICE</c>.</summary>
internal static class EnumNames
{
    public static string Of(EnumDescriptor descriptor, int number)
    {
        var name = descriptor.FindValueByNumber(number)?.Name ?? FormattableString.Invariant($"{number}");
        var prefix = ToUpperSnake(descriptor.Name) + "_";
        return name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
    }

    /// <summary>Of a generated enum's value: <c>InService</c> becomes <c>IN_SERVICE</c>; nothing for the value 0.</summary>
    public static string Of(Enum value) => Convert.ToInt32(value, null) == 0 ? "" : ToUpperSnake(value.ToString());

    private static string ToUpperSnake(string pascal)
    {
        var name = new StringBuilder(pascal.Length + 4);
        for (var i = 0; i < pascal.Length; i++)
        {
            var startsNumber = char.IsAsciiDigit(pascal[i]) && i > 0 && !char.IsAsciiDigit(pascal[i - 1]);
            if (i > 0 && (char.IsAsciiLetterUpper(pascal[i]) || startsNumber))
            {
                name.Append('_');
            }

            name.Append(char.ToUpperInvariant(pascal[i]));
        }

        return name.ToString();
    }
}
