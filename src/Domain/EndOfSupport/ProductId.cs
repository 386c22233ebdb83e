using System.Text.RegularExpressions;

namespace Muster.Domain.EndOfSupport;

/// <summary>
/// A product: the model as devices name it in their hello, for example <c>P3265-V</c>. <c>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}</c>,
/// so that it is a segment of a name, a segment of a key and a word of a filter as it is.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.product-id")]
public readonly partial record struct ProductId
{
    private ProductId(string value) => Value = value;

    [Id(0)]
    public string Value { get; private init; }

    public static bool TryParse([NotNullWhen(true)] string? text, out ProductId id)
    {
        id = default;
        if (text is null || !Form().IsMatch(text))
        {
            return false;
        }

        id = new ProductId(text);
        return true;
    }

    public override string ToString() => Value;

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
