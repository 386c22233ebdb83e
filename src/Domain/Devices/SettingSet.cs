using System.Buffers.Binary;
using System.Collections;
using System.Runtime.CompilerServices;
using System.Text;

namespace Muster.Domain.Devices;

/// <summary>
/// Settings, as a device reported them, in the order in which it did, or as an operator wants them; packed: sixty settings are one object
/// of about two kilobytes instead of two hundred. Each is the length of its name (2 bytes, big-endian), of its value (2 bytes), name and
/// value in UTF-8. Held for long, the names are kept apart, where many devices share them (<see cref="With"/>).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.setting-set")]
[CollectionBuilder(typeof(SettingSet), nameof(Of))]
public sealed class SettingSet : IEnumerable<DeviceSetting>, IEquatable<SettingSet>
{
    private const int LengthBytes = 2;
    private const int HeaderBytes = 2 * LengthBytes;

    /// <summary>Without the names themselves when <see cref="_names"/> has them; their lengths stay here.</summary>
    private byte[] _packed;

    private readonly SettingNames? _names;

    private SettingSet(byte[] packed, SettingNames? names) => (_packed, _names) = (packed, names);

    public static SettingSet Empty { get; } = new([], null);

    public bool IsEmpty => _packed.Length == 0;

    /// <summary>As it is stored and sent: whole.</summary>
    [Id(0)]
    internal byte[] Packed
    {
        get => _names is null ? _packed : Copy(headers: true, names: true, values: true);
        set => _packed = value;
    }

    /// <summary>Packs settings; names and values have at most 65,535 bytes each.</summary>
    public static SettingSet Of(ReadOnlySpan<DeviceSetting> settings)
    {
        if (settings.IsEmpty)
        {
            return Empty;
        }

        var length = 0;
        foreach (var (name, value) in settings)
        {
            length += HeaderBytes + Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        }

        var packed = new byte[length];
        var rest = packed.AsSpan();
        foreach (var (name, value) in settings)
        {
            var nameBytes = Encoding.UTF8.GetBytes(name, rest[HeaderBytes..]);
            var valueBytes = Encoding.UTF8.GetBytes(value, rest[(HeaderBytes + nameBytes)..]);
            WriteHeader(rest, nameBytes, valueBytes);
            rest = rest[(HeaderBytes + nameBytes + valueBytes)..];
        }

        return new SettingSet(packed, null);
    }

    /// <summary>The names of these settings; equal for sets that have the same ones in the same order.</summary>
    public SettingNames ToNames() => _names ?? new SettingNames(Copy(headers: false, names: true, values: false));

    /// <summary>The same settings, which keep nothing of their names but a reference to these.</summary>
    /// <param name="names">Equal to <see cref="ToNames"/>.</param>
    public SettingSet With(SettingNames names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (IsEmpty || ReferenceEquals(names, _names))
        {
            return this;
        }

        return names.Equals(ToNames())
            ? new SettingSet(Copy(headers: true, names: false, values: true), names)
            : throw new ArgumentException("These are the names of other settings.", nameof(names));
    }

    /// <summary>The value of a setting; null when it was not reported.</summary>
    public string? Find(string name)
    {
        foreach (var setting in AsSpans())
        {
            if (Encoding.UTF8.GetString(setting.Name) == name)
            {
                return Encoding.UTF8.GetString(setting.Value);
            }
        }

        return null;
    }

    /// <summary>True when this set has each of those settings, with the same value.</summary>
    public bool ContainsAll(SettingSet others)
    {
        ArgumentNullException.ThrowIfNull(others);
        foreach (var other in others.AsSpans())
        {
            if (!Contains(other))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The settings without a copy of each.</summary>
    public SettingSpans AsSpans() => new(this);

    public IEnumerator<DeviceSetting> GetEnumerator()
    {
        var settings = new List<DeviceSetting>();
        foreach (var setting in AsSpans())
        {
            settings.Add(new DeviceSetting(Encoding.UTF8.GetString(setting.Name), Encoding.UTF8.GetString(setting.Value)));
        }

        return settings.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(SettingSet? other)
    {
        if (other is null || ReferenceEquals(this, other))
        {
            return other is not null;
        }

        var others = other.AsSpans().GetEnumerator();
        foreach (var setting in AsSpans())
        {
            if (!others.MoveNext() || !setting.IsSame(others.Current))
            {
                return false;
            }
        }

        return !others.MoveNext();
    }

    public override bool Equals(object? obj) => Equals(obj as SettingSet);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var setting in AsSpans())
        {
            hash.AddBytes(setting.Name);
            hash.AddBytes(setting.Value);
        }

        return hash.ToHashCode();
    }

    private bool Contains(SettingSpan other)
    {
        foreach (var setting in AsSpans())
        {
            if (setting.IsSame(other))
            {
                return true;
            }
        }

        return false;
    }

    private static void WriteHeader(Span<byte> packed, int nameBytes, int valueBytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packed, checked((ushort)nameBytes));
        BinaryPrimitives.WriteUInt16BigEndian(packed[LengthBytes..], checked((ushort)valueBytes));
    }

    private byte[] Copy(bool headers, bool names, bool values)
    {
        var length = 0;
        foreach (var setting in AsSpans())
        {
            length += (headers ? HeaderBytes : 0) + (names ? setting.Name.Length : 0) + (values ? setting.Value.Length : 0);
        }

        var copy = new byte[length];
        var rest = copy.AsSpan();
        foreach (var setting in AsSpans())
        {
            if (headers)
            {
                WriteHeader(rest, setting.Name.Length, setting.Value.Length);
                rest = rest[HeaderBytes..];
            }

            rest = Put(names ? setting.Name : [], rest);
            rest = Put(values ? setting.Value : [], rest);
        }

        return copy;
    }

    private static Span<byte> Put(ReadOnlySpan<byte> bytes, Span<byte> rest)
    {
        bytes.CopyTo(rest);
        return rest[bytes.Length..];
    }

    /// <summary>Settings as they are packed; to be enumerated.</summary>
    public readonly ref struct SettingSpans
    {
        private readonly SettingSet _set;

        internal SettingSpans(SettingSet set) => _set = set;

        public Enumerator GetEnumerator() => new(_set._packed, _set._names);
    }

    /// <summary>Goes through packed settings.</summary>
    public ref struct Enumerator
    {
        private readonly bool _isApart;
        private ReadOnlySpan<byte> _rest;
        private ReadOnlySpan<byte> _names;

        internal Enumerator(ReadOnlySpan<byte> packed, SettingNames? names)
        {
            _isApart = names is not null;
            _rest = packed;
            _names = _isApart ? names!.Bytes : default;
        }

        public SettingSpan Current { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var nameBytes = BinaryPrimitives.ReadUInt16BigEndian(_rest);
            var valueBytes = BinaryPrimitives.ReadUInt16BigEndian(_rest[LengthBytes..]);
            var valueAt = _isApart ? HeaderBytes : HeaderBytes + nameBytes;
            Current = new SettingSpan(
                _isApart ? _names[..nameBytes] : _rest.Slice(HeaderBytes, nameBytes), _rest.Slice(valueAt, valueBytes));
            _names = _isApart ? _names[nameBytes..] : _names;
            _rest = _rest[(valueAt + valueBytes)..];
            return true;
        }
    }

    /// <summary>One setting as it is packed.</summary>
    public readonly ref struct SettingSpan
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal SettingSpan(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Name = name;
            Value = value;
        }

        /// <summary>UTF-8.</summary>
        public ReadOnlySpan<byte> Name { get; }

        /// <summary>UTF-8.</summary>
        public ReadOnlySpan<byte> Value { get; }

        internal bool IsSame(SettingSpan other) => Name.SequenceEqual(other.Name) && Value.SequenceEqual(other.Value);
    }
}
