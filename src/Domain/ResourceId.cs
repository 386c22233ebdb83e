using System.Text.RegularExpressions;

namespace Muster.Domain;

/// <summary>
/// The last segment of the name of a rollout, a policy or an operator, chosen by its creator:
/// <c>[a-z][a-z0-9-]{0,61}[a-z0-9]</c> (AIP-122).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.resource-id")]
public readonly partial record struct ResourceId
{
    private ResourceId(string value) => Value = value;

    [Id(0)]
    public string Value { get; private init; }

    public static bool TryParse([NotNullWhen(true)] string? text, out ResourceId id)
    {
        id = default;
        if (text is null || !Form().IsMatch(text))
        {
            return false;
        }

        id = new ResourceId(text);
        return true;
    }

    public override string ToString() => Value;

    [GeneratedRegex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
