using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Muster.Domain.Deliveries;

namespace Muster.Gateway.Deliveries;

/// <summary>One object of a list: a member for each column that has a value.</summary>
internal static class JsonObject
{
    public static ListedLine Read(int line, ReadOnlySpan<byte> text, DeliveryLine defaults)
    {
        if (text.Length > ListedLine.LengthMax)
        {
            return ListedLine.Unreadable(
                line, string.Create(CultureInfo.InvariantCulture, $"has more than {ListedLine.LengthMax} bytes"));
        }

        try
        {
            var reader = new Utf8JsonReader(text);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject
                ? ReadMembers(line, ref reader, defaults)
                : ListedLine.Unreadable(line, "is no JSON object");
        }
        catch (JsonException exception)
        {
            return ListedLine.Unreadable(line, string.Create(
                CultureInfo.InvariantCulture, $"is no JSON object: byte {exception.BytePositionInLine} has no place there"));
        }
        catch (InvalidOperationException)
        {
            // What the reader says of bytes or escapes that are no text.
            return ListedLine.Unreadable(line, "is not text in UTF-8");
        }
    }

    private static ListedLine ReadMembers(int line, ref Utf8JsonReader reader, DeliveryLine defaults)
    {
        var problems = ImmutableArray.CreateBuilder<LineProblem>();
        var columns = new List<DeliveryColumn>();
        var values = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var value = ReadValue(ref reader);
            if (!DeliveryColumns.TryParse(name, out var column))
            {
                problems.Add(new LineProblem("", $"has a member that is none of {string.Join(", ", DeliveryColumns.Names)}"));
            }
            else if (value is null)
            {
                problems.Add(new LineProblem(name, "a text or a number"));
            }
            else if (columns.Contains(column))
            {
                problems.Add(new LineProblem(name, "is there twice"));
            }
            else
            {
                columns.Add(column);
                values.Add(value);
            }
        }

        // Throws when something stands behind the object.
        reader.Read();
        return problems.Count == 0
            ? ListedLine.Of(line, DeliveryLine.Of(columns.ToArray(), values.ToArray(), defaults))
            : new ListedLine(line, DeliveryLine.Empty, [.. problems.Distinct()]);
    }

    /// <summary>Null for what no column can be.</summary>
    private static string? ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString()!.Trim();
            case JsonTokenType.Number:
                return Encoding.UTF8.GetString(reader.ValueSpan);
            case JsonTokenType.Null:
                return "";
            default:
                reader.Skip();
                return null;
        }
    }
}
