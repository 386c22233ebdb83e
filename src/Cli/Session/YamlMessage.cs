using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Muster.Cli.Session;

/// <summary>
/// Reads a message of the API from YAML as people write it: the fields' names as in the API's definition, durations such as <c>30m</c>.
/// Whatever the message does not have is refused with its line.
/// </summary>
internal static class YamlMessage
{
    /// <summary>A specification is a page; a file above this is another one.</summary>
    private const int CharactersMax = 1024 * 1024;

    public static async Task<T> ReadAsync<T>(string file, CancellationToken cancellationToken)
        where T : IMessage<T>, new()
    {
        using var reader = File.OpenText(file);
        var text = new char[CharactersMax + 1];
        var length = await reader.ReadBlockAsync(text, cancellationToken);
        return length <= CharactersMax
            ? Parse<T>(new string(text, 0, length), file)
            : throw new UsageException($"{file} is longer than {CharactersMax} characters.");
    }

    /// <param name="yaml">One document.</param>
    /// <param name="file">Named in what is wrong.</param>
    public static T Parse<T>(string yaml, string file)
        where T : IMessage<T>, new()
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            var message = new T();
            if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
            {
                throw new UsageException($"{file} is not one YAML document of names and values.");
            }

            var json = Convert(root, message.Descriptor, file);
            return new JsonParser(JsonParser.Settings.Default).Parse<T>(json.ToJsonString());
        }
        catch (YamlException wrong)
        {
            throw new UsageException($"{file}, line {wrong.Start.Line}: {wrong.Message}", wrong);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new UsageException($"{file}: {wrong.Message}", wrong);
        }
    }

    private static JsonObject Convert(YamlMappingNode mapping, MessageDescriptor type, string file)
    {
        var json = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (type.FindFieldByName(name) is not { } field)
            {
                var known = string.Join(", ", type.Fields.InDeclarationOrder().Select(one => one.Name));
                throw new UsageException($"{file}, line {key.Start.Line}: there is no '{name}' here. Possible are: {known}.");
            }

            json[name] = Convert(value, field, file);
        }

        return json;
    }

    private static JsonNode? Convert(YamlNode node, FieldDescriptor field, string file) => node switch
    {
        YamlMappingNode mapping when field.IsMap => new JsonObject(mapping.Children.Select(entry => KeyValuePair.Create(
            (entry.Key as YamlScalarNode)?.Value ?? "",
            ConvertOne(entry.Value, field.MessageType.FindFieldByNumber(2), file)))),
        _ when field.IsMap => throw Wrong(node, field, "names and values", file),
        YamlSequenceNode sequence when field.IsRepeated =>
            new JsonArray([.. sequence.Children.Select(child => ConvertOne(child, field, file))]),
        _ when field.IsRepeated => throw Wrong(node, field, "a list", file),
        _ => ConvertOne(node, field, file),
    };

    private static JsonNode? ConvertOne(YamlNode node, FieldDescriptor field, string file)
    {
        var isMessage = field.FieldType == FieldType.Message && field.MessageType.FullName != Duration.Descriptor.FullName;
        return (node, isMessage) switch
        {
            (YamlMappingNode mapping, true) => Convert(mapping, field.MessageType, file),
            (_, true) => throw Wrong(node, field, "names and values", file),
            (YamlScalarNode scalar, false) => ConvertScalar(scalar, field, file),
            _ => throw Wrong(node, field, "one value", file),
        };
    }

    private static JsonValue ConvertScalar(YamlScalarNode scalar, FieldDescriptor field, string file)
    {
        var text = scalar.Value ?? "";
        switch (field.FieldType)
        {
            case FieldType.Message:
                return JsonValue.Create($"{Values.Duration(text).Seconds}s");
            case FieldType.Bool:
                return bool.TryParse(text, out var isSo) ? JsonValue.Create(isSo) : throw Wrong(scalar, field, "true or false", file);
            case FieldType.Double or FieldType.Int32 or FieldType.Int64:
                return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                    ? JsonValue.Create(number)
                    : throw Wrong(scalar, field, "a number", file);
            default:
                return JsonValue.Create(text);
        }
    }

    private static UsageException Wrong(YamlNode node, FieldDescriptor field, string wanted, string file) =>
        new($"{file}, line {node.Start.Line}: '{field.Name}' is {wanted}.");
}
