namespace Muster.Gateway;

/// <summary>Text that a peer or a file brought, for logs and terminals, where control characters are commands.</summary>
internal static class ShownText
{
    /// <summary>Printable text of at most this length.</summary>
    public static string OneLine(string? text, int lengthMax)
    {
        var cut = (text ?? string.Empty).AsSpan(0, Math.Min(text?.Length ?? 0, lengthMax));
        return string.Create(cut.Length, cut, static (line, source) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(source[i]) || char.IsSurrogate(source[i]) ? '?' : source[i];
            }
        });
    }
}
