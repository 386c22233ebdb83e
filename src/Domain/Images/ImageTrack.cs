using System.Text.RegularExpressions;

namespace Muster.Domain.Images;

/// <summary>
/// The track that an image or a device belongs to: <c>active</c>, where only the newest release is supported, or a
/// long-term-support line by its first two numbers, for example <c>12.11</c>.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.image-track")]
public readonly partial record struct ImageTrack
{
    private ImageTrack(string value) => Value = value;

    /// <summary>The track that gets new features.</summary>
    public static ImageTrack Active { get; } = new("active");

    [Id(0)]
    public string Value { get; private init; }

    /// <summary>True for a long-term-support line.</summary>
    public bool IsLongTerm => this != Active;

    public static bool TryParse([NotNullWhen(true)] string? text, out ImageTrack track)
    {
        track = default;
        if (text is null || (text != Active.Value && !Line().IsMatch(text)))
        {
            return false;
        }

        track = new ImageTrack(text);
        return true;
    }

    /// <summary>A long-term-support line carries versions of that line alone; the active track any.</summary>
    public bool Carries(OsVersion version) => !IsLongTerm || version.Line == Value;

    public override string ToString() => Value;

    [GeneratedRegex("^(0|[1-9][0-9]{0,4})\\.(0|[1-9][0-9]{0,4})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Line();
}
