using System.Text;

namespace Muster.Cryptography.Bundles;

/// <summary>
/// Groups of keys and values as in GLib's key files. Stricter than GLib: a group or a key that comes twice is refused, so that no other
/// reader can take another value for it.
/// </summary>
internal sealed class KeyFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, Dictionary<string, string>> _groups = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    private KeyFile()
    {
    }

    /// <summary>The groups, in their order.</summary>
    public IReadOnlyList<string> Groups => _order;

    /// <summary>Null when it is not such a file.</summary>
    public static KeyFile? Parse(ReadOnlySpan<byte> content)
    {
        string text;
        try
        {
            text = Utf8.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }

        var file = new KeyFile();
        Dictionary<string, string>? group = null;
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r').TrimStart(' ', '\t')))
        {
            if (line.Any(c => char.IsControl(c) && c != '\t'))
            {
                return null;
            }

            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var isRead = line[0] == '[' ? file.TryOpen(line, out group) : TryAdd(line, group);
            if (!isRead)
            {
                return null;
            }
        }

        return file;
    }

    /// <summary>Null when the group or the key is not there.</summary>
    public string? Value(string group, string key) =>
        _groups.TryGetValue(group, out var keys) && keys.TryGetValue(key, out var value) ? value : null;

    private bool TryOpen(string line, out Dictionary<string, string>? group)
    {
        group = new Dictionary<string, string>(StringComparer.Ordinal);
        var trimmed = line.TrimEnd(' ', '\t');
        if (trimmed.Length < 3 || trimmed.IndexOf(']', StringComparison.Ordinal) != trimmed.Length - 1
            || !_groups.TryAdd(trimmed[1..^1], group))
        {
            return false;
        }

        _order.Add(trimmed[1..^1]);
        return true;
    }

    private static bool TryAdd(string line, Dictionary<string, string>? group)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && group is not null
            && Unescape(line[(equals + 1)..].TrimStart(' ', '\t')) is { } value
            && group.TryAdd(line[..equals].TrimEnd(' ', '\t'), value);
    }

    /// <summary>Null when a backslash means nothing. Lists have their own escapes; nothing that is read here is one.</summary>
    private static string? Unescape(string value)
    {
        if (!value.Contains('\\', StringComparison.Ordinal))
        {
            return value;
        }

        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '\\')
            {
                text.Append(value[i]);
                continue;
            }

            var escape = ++i < value.Length ? "sntr\\;".IndexOf(value[i], StringComparison.Ordinal) : -1;
            if (escape < 0)
            {
                return null;
            }

            text.Append(" \n\t\r\\;"[escape]);
        }

        return text.ToString();
    }
}
