using System.Globalization;

namespace Muster.Domain.Images;

/// <summary>
/// An OS version as vendors write it: <c>12.11.77</c>, <c>9.80.3.12</c>, <c>11.6+snapshot-20230615</c>. Ordered number by number,
/// a missing one is 0, and what follows a <c>+</c> does not count: <c>9.80.3.12</c> is below <c>9.80.22</c>, and <c>12.11</c> equals
/// <c>12.11.0</c>. Neither SemVer nor a decimal.
/// </summary>
public readonly struct OsVersion : IComparable<OsVersion>, IEquatable<OsVersion>
{
    /// <summary>Vendors use up to four; the rest is room.</summary>
    public const int ComponentsMax = 8;

    /// <summary>Longer than any version seen, and a bound for records and tables.</summary>
    public const int LengthMax = 64;

    /// <summary>Nine digits fit a 32-bit number.</summary>
    private const int DigitsMax = 9;

    private readonly ImmutableArray<int> _components;

    private OsVersion(ImmutableArray<int> components) => _components = components;

    private ImmutableArray<int> Components => _components.IsDefault ? [] : _components;

    public static bool TryParse([NotNullWhen(true)] string? text, out OsVersion version)
    {
        version = default;
        if (text is not { Length: > 0 and <= LengthMax })
        {
            return false;
        }

        var plus = text.IndexOf('+', StringComparison.Ordinal);
        if (plus >= 0 && !IsSuffix(text.AsSpan(plus + 1)))
        {
            return false;
        }

        // Asked of each device that is offered an image: nothing is made but the numbers.
        var numbers = plus < 0 ? text.AsSpan() : text.AsSpan(0, plus);
        Span<int> components = stackalloc int[ComponentsMax];
        var count = 0;
        foreach (var range in numbers.Split('.'))
        {
            var part = numbers[range];
            if (count == ComponentsMax || part.Length is 0 or > DigitsMax
                || !int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out components[count]))
            {
                return false;
            }

            count++;
        }

        version = new OsVersion([.. components[..count]]);
        return true;
    }

    /// <summary>The first two numbers, <c>12.11</c>: the line that a version of a long-term-support track belongs to.</summary>
    public string Line => string.Create(CultureInfo.InvariantCulture, $"{ComponentAt(0)}.{ComponentAt(1)}");

    public int CompareTo(OsVersion other)
    {
        var count = Math.Max(Components.Length, other.Components.Length);
        for (var i = 0; i < count; i++)
        {
            var order = ComponentAt(i).CompareTo(other.ComponentAt(i));
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }

    public bool Equals(OsVersion other) => CompareTo(other) == 0;

    public override bool Equals(object? obj) => obj is OsVersion other && Equals(other);

    public override int GetHashCode()
    {
        var length = Components.Length;
        while (length > 0 && Components[length - 1] == 0)
        {
            length--;
        }

        var hash = default(HashCode);
        for (var i = 0; i < length; i++)
        {
            hash.Add(Components[i]);
        }

        return hash.ToHashCode();
    }

    public static bool operator ==(OsVersion left, OsVersion right) => left.Equals(right);

    public static bool operator !=(OsVersion left, OsVersion right) => !left.Equals(right);

    public static bool operator <(OsVersion left, OsVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(OsVersion left, OsVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(OsVersion left, OsVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(OsVersion left, OsVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Join('.', Components);

    private int ComponentAt(int index) => index < Components.Length ? Components[index] : 0;

    private static bool IsSuffix(ReadOnlySpan<char> suffix)
    {
        foreach (var c in suffix)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return false;
            }
        }

        return suffix.Length > 0;
    }
}
