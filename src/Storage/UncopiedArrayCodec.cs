using System.Runtime.InteropServices;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;

namespace Muster.Storage;

/// <summary>
/// Writes an immutable array as the framework's codec does, which copies every array before it writes it and after it was read: a device
/// has a dozen of them, and is written with each commit.
/// </summary>
internal sealed class UncopiedArrayCodec<T>(IValueSerializer<ImmutableArraySurrogate<T>> surrogates)
    : GeneralizedValueTypeSurrogateCodec<ImmutableArray<T>, ImmutableArraySurrogate<T>>(surrogates)
{
    /// <summary>Whoever read it has no other use for it. There is one empty array, and records compare arrays by reference.</summary>
    public override ImmutableArray<T> ConvertFromSurrogate(ref ImmutableArraySurrogate<T> surrogate) =>
        surrogate.Values is { Length: 0 } ? [] : ImmutableCollectionsMarshal.AsImmutableArray(surrogate.Values);

    /// <summary>Whoever writes it only looks at it.</summary>
    public override void ConvertToSurrogate(ImmutableArray<T> value, ref ImmutableArraySurrogate<T> surrogate) =>
        surrogate.Values = ImmutableCollectionsMarshal.AsArray(value)!;
}
