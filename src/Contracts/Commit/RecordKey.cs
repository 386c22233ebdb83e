namespace Muster.Contracts.Commit;

/// <summary>
/// Names a stored record: the grain's type and its key, for example <c>muster.device</c> and <c>default/B8A44F000001</c>.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.record-key")]
public readonly record struct RecordKey([property: Id(0)] string Kind, [property: Id(1)] string Key)
{
    public override string ToString() => $"{Kind}/{Key}";

    /// <summary>Splits at the first slash: a kind has none.</summary>
    public static RecordKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            ? new RecordKey(text[..slash], text[(slash + 1)..])
            : throw new FormatException($"'{text}' is not a record key of the form kind/key.");
    }
}
