using System.Buffers.Binary;
using System.Collections;
using System.Runtime.CompilerServices;
using System.Text;

namespace Muster.Domain.Devices;

/// <summary>
/// What a device reported of its settings, in the order in which it did, packed: sixty settings are one object of about two kilobytes
/// instead of two hundred. Each is the length of its name (2 bytes, big-endian), of its value (2 bytes), name and value in UTF-8.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.setting-set")]
[CollectionBuilder(typeof(SettingSet), nameof(Of))]
public sealed class SettingSet : IEnumerable<DeviceSetting>, IEquatable<SettingSet>
{
    private const int HeaderBytes = 4;

    [Id(0)] private readonly byte[] _packed;

    private SettingSet(byte[] packed) => _packed = packed;

    public static SettingSet Empty { get; } = new([]);

    public bool IsEmpty => _packed.Length == 0;

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
            BinaryPrimitives.WriteUInt16BigEndian(rest, checked((ushort)nameBytes));
            BinaryPrimitives.WriteUInt16BigEndian(rest[2..], checked((ushort)valueBytes));
            rest = rest[(HeaderBytes + nameBytes + valueBytes)..];
        }

        return new SettingSet(packed);
    }

    /// <summary>The value of a setting; null when it was not reported.</summary>
    public string? Find(string name)
    {
        foreach (var setting in Packed())
        {
            if (Encoding.UTF8.GetString(setting.Name) == name)
            {
                return Encoding.UTF8.GetString(setting.Value);
            }
        }

        return null;
    }

    /// <summary>The settings without a copy of each.</summary>
    public PackedSettings Packed() => new(_packed);

    public IEnumerator<DeviceSetting> GetEnumerator()
    {
        for (var at = 0; at < _packed.Length;)
        {
            var (setting, length) = Read(at);
            yield return setting;
            at += length;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(SettingSet? other) => other is not null && _packed.AsSpan().SequenceEqual(other._packed);

    public override bool Equals(object? obj) => Equals(obj as SettingSet);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_packed);
        return hash.ToHashCode();
    }

    private (DeviceSetting Setting, int Length) Read(int at)
    {
        var setting = new PackedSetting(_packed.AsSpan(at));
        return (
            new DeviceSetting(Encoding.UTF8.GetString(setting.Name), Encoding.UTF8.GetString(setting.Value)),
            HeaderBytes + setting.Name.Length + setting.Value.Length);
    }

    /// <summary>Settings as they are packed; to be enumerated.</summary>
    public readonly ref struct PackedSettings(ReadOnlySpan<byte> packed)
    {
        private readonly ReadOnlySpan<byte> _packed = packed;

        public Enumerator GetEnumerator() => new(_packed);
    }

    /// <summary>Goes through packed settings.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> packed)
    {
        private ReadOnlySpan<byte> _rest = packed;

        public PackedSetting Current { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            Current = new PackedSetting(_rest);
            _rest = _rest[(HeaderBytes + Current.Name.Length + Current.Value.Length)..];
            return true;
        }
    }

    /// <summary>One setting as it is packed.</summary>
    public readonly ref struct PackedSetting
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal PackedSetting(ReadOnlySpan<byte> packed)
        {
            var name = BinaryPrimitives.ReadUInt16BigEndian(packed);
            Name = packed.Slice(HeaderBytes, name);
            Value = packed.Slice(HeaderBytes + name, BinaryPrimitives.ReadUInt16BigEndian(packed[2..]));
        }

        /// <summary>UTF-8.</summary>
        public ReadOnlySpan<byte> Name { get; }

        /// <summary>UTF-8.</summary>
        public ReadOnlySpan<byte> Value { get; }
    }
}
