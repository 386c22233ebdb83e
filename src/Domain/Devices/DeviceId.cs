using System.Text;

namespace Muster.Domain.Devices;

/// <summary>
/// A device's name inside a tenant: the serial number of its certificate in its profile's canonical form. Characters of
/// <c>[A-Z0-9._-]</c> stand for themselves, every other byte of the UTF-8 form is percent-encoded; 1 to 64 characters.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.device-id")]
public readonly record struct DeviceId : IComparable<DeviceId>
{
    /// <summary>Fits an MQTT client id with a suffix and one topic level; IEEE 802.1AR serials are far shorter.</summary>
    public const int LengthMax = 64;

    private DeviceId(string value) => Value = value;

    [Id(0)]
    public string Value { get; private init; }

    /// <summary>Reads an id that is already in canonical form.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out DeviceId id)
    {
        id = default;
        if (string.IsNullOrEmpty(text) || text.Length > LengthMax)
        {
            return false;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && IsUpperHex(text[i + 1]) && IsUpperHex(text[i + 2]))
            {
                i += 2;
            }
            else if (!IsPlain(text[i]))
            {
                return false;
            }
        }

        id = new DeviceId(text);
        return true;
    }

    /// <summary>Makes the id of a serial number in its profile's canonical form; false when the id would be too long or empty.</summary>
    public static bool TryFromSerial(string? serial, out DeviceId id)
    {
        id = default;
        if (string.IsNullOrEmpty(serial) || serial.Length > LengthMax)
        {
            return false;
        }

        var text = new StringBuilder(serial.Length);
        foreach (var value in Encoding.UTF8.GetBytes(serial))
        {
            if (IsPlain((char)value))
            {
                text.Append((char)value);
            }
            else
            {
                text.Append('%').Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return TryParse(text.ToString(), out id);
    }

    public int CompareTo(DeviceId other) => string.CompareOrdinal(Value, other.Value);

    public static bool operator <(DeviceId left, DeviceId right) => left.CompareTo(right) < 0;

    public static bool operator >(DeviceId left, DeviceId right) => left.CompareTo(right) > 0;

    public static bool operator <=(DeviceId left, DeviceId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DeviceId left, DeviceId right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value;

    private static bool IsPlain(char c) => c is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' or '-';

    private static bool IsUpperHex(char c) => c is (>= '0' and <= '9') or (>= 'A' and <= 'F');
}
