namespace Muster.Protocol;

/// <summary>The MQTT topics of a device: <c>muster/v1/devices/{device}/up/{kind}</c> and <c>…/down/{kind}</c>.</summary>
public static class Topics
{
    public const string Prefix = "muster/v1/devices/";

    public const string Hello = "hello";
    public const string Status = "status";
    public const string Report = "report";
    public const string Inventory = "inventory";
    public const string Result = "result";

    /// <summary>A device's last will, behind a shared broker only: the broker says with it that the device is gone.</summary>
    public const string Gone = "gone";

    public const string Desired = "desired";
    public const string Ack = "ack";
    public const string Command = "command";
    public const string Rejection = "rejection";

    /// <summary>The topic that a device publishes to.</summary>
    public static string Up(string device, string kind) => $"{Prefix}{device}/up/{kind}";

    /// <summary>The topic that a device receives from.</summary>
    public static string Down(string device, string kind) => $"{Prefix}{device}/down/{kind}";

    /// <summary>Reads an up topic; false when it is not one. The device is not decoded.</summary>
    public static bool TryParseUp(string? topic, out ReadOnlySpan<char> device, out ReadOnlySpan<char> kind)
    {
        device = kind = default;
        if (topic is null || !topic.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = topic.AsSpan(Prefix.Length);
        var slash = rest.IndexOf('/');
        if (slash <= 0 || !rest[(slash + 1)..].StartsWith("up/", StringComparison.Ordinal))
        {
            return false;
        }

        device = rest[..slash];
        kind = rest[(slash + 4)..];
        return kind.Length > 0 && !kind.Contains('/');
    }
}
