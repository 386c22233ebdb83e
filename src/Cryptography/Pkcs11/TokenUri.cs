using System.Globalization;
using System.Text;

namespace Muster.Cryptography.Pkcs11;

/// <summary>
/// Where a key is in a hardware module, as RFC 7512 writes it: <c>pkcs11:token=fleet;object=muster-fleet-ca-1?module-path=/usr/lib/…
/// &amp;pin-source=/etc/…</c>. It names the file with the PIN and never holds the PIN itself.
/// </summary>
public sealed class TokenUri
{
    public const string Scheme = "pkcs11:";

    /// <summary>Labels have 32 bytes and paths some hundred; the rest is a mistake.</summary>
    public const int LengthMax = 2048;

    private static readonly string[] PathNames = ["token", "serial", "manufacturer", "model", "slot-id", "object", "id", "type"];

    /// <summary>Decoded; of <c>id</c>, whose bytes need not be text, each byte is one character.</summary>
    private readonly ImmutableSortedDictionary<string, string> _path;
    private readonly ImmutableSortedDictionary<string, string> _query;

    private TokenUri(ImmutableSortedDictionary<string, string> path, ImmutableSortedDictionary<string, string> query) =>
        (_path, _query) = (path, query);

    /// <summary>The token's label.</summary>
    public string? Token => _path.GetValueOrDefault("token");

    public string? Serial => _path.GetValueOrDefault("serial");

    public string? Manufacturer => _path.GetValueOrDefault("manufacturer");

    public string? Model => _path.GetValueOrDefault("model");

    public ulong? SlotId => _path.TryGetValue("slot-id", out var slot) ? ulong.Parse(slot, CultureInfo.InvariantCulture) : null;

    /// <summary>The key's label (CKA_LABEL).</summary>
    public string? Label => _path.GetValueOrDefault("object");

    /// <summary>The key's CKA_ID.</summary>
    public byte[]? Id => _path.TryGetValue("id", out var id) ? Encoding.Latin1.GetBytes(id) : null;

    /// <summary>The module's library, whole path.</summary>
    public string? ModulePath => _query.GetValueOrDefault("module-path");

    /// <summary>The file that holds the PIN.</summary>
    public string? PinSource => _query.GetValueOrDefault("pin-source");

    /// <summary>Null with a sentence that says what is wrong; it repeats no value, because one of them may be a PIN.</summary>
    public static (TokenUri? Uri, string? Fault) Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > LengthMax || !text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return (null, $"it does not begin with '{Scheme}', or is longer than {LengthMax} characters");
        }

        var parts = text[Scheme.Length..].Split('?');
        var (path, fault) = parts.Length > 2 ? (null, "it has more than one '?'") : Read(parts[0], ';', PathNames);
        var (query, unfit) = fault is null ? Read(parts.Length == 2 ? parts[1] : "", '&', null) : (null, null);
        if ((fault ?? unfit ?? Check(path!, query!)) is { } wrong)
        {
            return (null, wrong);
        }

        if (query!.TryGetValue("pin-source", out var source) && source.StartsWith("file:", StringComparison.Ordinal))
        {
            query = query.SetItem("pin-source", source["file:".Length..].TrimStart('/').Insert(0, "/"));
        }

        return (new TokenUri(path!, query!), null);
    }

    /// <summary>
    /// The same key as a host reaches it: module and PIN file are the host's where it names them, and of the key's own names it adds those
    /// that are missing.
    /// </summary>
    public TokenUri ReachedBy(TokenUri host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new TokenUri(host._path.SetItems(_path), _query.SetItems(host._query));
    }

    /// <summary>The same, naming one key.</summary>
    public TokenUri WithKey(string label, ReadOnlySpan<byte> id)
    {
        var path = _path.SetItem("type", "private");
        path = label.Length == 0 ? path.Remove("object") : path.SetItem("object", label);
        return new TokenUri(id.IsEmpty ? path.Remove("id") : path.SetItem("id", Encoding.Latin1.GetString(id)), _query);
    }

    /// <summary>The token in words, for sentences.</summary>
    public string Where => $"token '{Token ?? Serial ?? (SlotId is { } slot ? $"of slot {slot}" : "?")}'";

    /// <summary>The key in words, for sentences.</summary>
    public string Which => Label is not null
        ? $"'{Label}'{(Id is { } id ? $" (id {Convert.ToHexStringLower(id)})" : "")}"
        : $"of id {Convert.ToHexStringLower(Id ?? [])}";

    public override string ToString()
    {
        var path = string.Join(';', _path.Select(attribute => $"{attribute.Key}={Escape(attribute.Key, attribute.Value)}"));
        var query = string.Join('&', _query.Select(attribute => $"{attribute.Key}={Escape(attribute.Key, attribute.Value)}"));
        return query.Length == 0 ? Scheme + path : $"{Scheme}{path}?{query}";
    }

    private static string Escape(string name, string value) => name == "id"
        ? string.Concat(Encoding.Latin1.GetBytes(value).Select(one => $"%{one:X2}"))
        : Uri.EscapeDataString(value).Replace("%2F", "/", StringComparison.Ordinal);

    private static (ImmutableSortedDictionary<string, string>? Attributes, string? Fault) Read(
        string text, char separator, string[]? known)
    {
        var attributes = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var attribute in text.Split(separator, StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = attribute.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (attribute[..at], Decode(attribute[(at + 1)..], isText: !attribute.StartsWith("id=", StringComparison.Ordinal)))
                : ("", null);
            if (value is null or "")
            {
                return (null, "an attribute is not written NAME=VALUE, with '%' and two hex digits for what RFC 7512 reserves");
            }

            if (known?.Contains(name) == false)
            {
                return (null, $"its path may have {string.Join(", ", known)}, and nothing else");
            }

            if (!attributes.TryAdd(name, value))
            {
                return (null, $"it has '{name}' twice");
            }
        }

        return (attributes.ToImmutable(), null);
    }

    private static string? Check(ImmutableSortedDictionary<string, string> path, ImmutableSortedDictionary<string, string> query) =>
        query.ContainsKey("pin-value")
            ? "a PIN does not belong in a setting: write it to a file of mode 0600 and name that with 'pin-source'"
            : path.GetValueOrDefault("type", "private") != "private"
                ? "its type is 'private', because a private key is meant"
                : path.TryGetValue("slot-id", out var slot) && !ulong.TryParse(slot, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                    ? "its slot-id is no number"
                    : query.TryGetValue("module-path", out var module) && !module.StartsWith('/')
                        ? "its module-path is not the whole path of a file"
                        : query.TryGetValue("pin-source", out var pin) && !pin.StartsWith('/')
                            && !pin.StartsWith("file:/", StringComparison.Ordinal)
                            ? "its pin-source is not the whole path of a file: no command is run for a PIN"
                            : null;

    private static string? Decode(string value, bool isText)
    {
        var bytes = new List<byte>(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '%')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(value, i, 1));
            }
            else if (i + 2 < value.Length && byte.TryParse(
                value.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var one))
            {
                bytes.Add(one);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return isText ? Encoding.UTF8.GetString([.. bytes]) : Encoding.Latin1.GetString([.. bytes]);
    }
}
