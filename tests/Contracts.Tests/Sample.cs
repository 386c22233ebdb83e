using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Muster.Domain.Identity;

namespace Muster.Contracts.Tests;

/// <summary>An instance of any serialized type in which every member has a value of its own, the same ones every time.</summary>
internal static class Sample
{
    /// <summary>Types may contain themselves; deeper than this nothing is set.</summary>
    private const int DepthMax = 8;

    private static readonly DateTimeOffset Epoch = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static object Of(Type type) => Make(type, 1, 0)!;

    private static object? Make(Type type, uint seed, int depth)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Make(value, seed, depth);
        }

        if (depth > DepthMax)
        {
            return type.IsValueType ? RuntimeHelpers.GetUninitializedObject(type) : null;
        }

        return Simple(type, seed)
            ?? (Element(type) is { } element ? Array(type, element, seed, depth) : null)
            ?? (IsDictionary(type) ? Dictionary(type, seed, depth) : Compound(type, seed, depth));
    }

    private static object? Simple(Type type, uint seed) => type switch
    {
        _ when type == typeof(string) => "text-" + seed.ToString(CultureInfo.InvariantCulture),
        _ when type == typeof(bool) => true,
        _ when type == typeof(DateTimeOffset) => Epoch.AddSeconds(seed),
        _ when type == typeof(TimeSpan) => TimeSpan.FromSeconds(seed),
        _ when type == typeof(DateOnly) => DateOnly.FromDateTime(Epoch.DateTime).AddDays((int)seed),
        _ when type == typeof(Guid) => new Guid((int)seed, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        _ when type.IsEnum => Enum.GetValues(type).GetValue(Math.Min(seed, Enum.GetValues(type).Length - 1)),
        _ when type.IsPrimitive => Convert.ChangeType(seed, type, CultureInfo.InvariantCulture),
        _ => null,
    };

    private static bool IsDictionary(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableDictionary<,>);

    private static object Dictionary(Type type, uint seed, int depth)
    {
        var entry = type.GetGenericArguments().Select(one => Make(one, seed, depth + 1)).ToArray();
        return type.GetMethod("Add")!.Invoke(type.GetField("Empty")!.GetValue(null), entry)!;
    }

    private static Type? Element(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>) ? type.GetGenericArguments()[0]
        : null;

    private static object? Array(Type type, Type element, uint seed, int depth)
    {
        var array = System.Array.CreateInstance(element, 1);
        array.SetValue(Make(element, seed, depth + 1), 0);
        return type.IsArray
            ? array
            : typeof(ImmutableArray).GetMethods().Single(method => method.Name == nameof(ImmutableArray.Create)
                    && method.GetParameters() is [{ ParameterType.IsArray: true }])
                .MakeGenericMethod(element).Invoke(null, [array])!;
    }

    private static object? Compound(Type type, uint seed, int depth)
    {
        if (type.IsInterface || type.IsAbstract)
        {
            return Implementation(type) is { } known ? Make(known, seed, depth) : null;
        }

        var instance = RuntimeHelpers.GetUninitializedObject(type);
        for (var declaring = type; declaring is not null && declaring != typeof(object); declaring = declaring.BaseType)
        {
            foreach (var (id, member, memberType) in WireTypes.MembersOf(declaring))
            {
                var field = member as FieldInfo ?? declaring.GetField(
                    $"<{member.Name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic);
                var value = IsFingerprint(member) ? Fingerprint(seed + id + 1) : Make(memberType, seed + id + 1, depth + 1);
                if (field is not null)
                {
                    field.SetValue(instance, value);
                }
                else
                {
                    // A property that makes its value from others.
                    (member as PropertyInfo)?.SetValue(instance, value);
                }
            }
        }

        return instance;
    }

    /// <summary>Text on the wire, and held as the hash that it is: any other text is no identity.</summary>
    private static bool IsFingerprint(MemberInfo member) =>
        member.DeclaringType == typeof(DeviceIdentity) && member.Name.EndsWith("Sha256", StringComparison.Ordinal);

    private static string Fingerprint(uint seed) => seed.ToString("x64", CultureInfo.InvariantCulture);

    /// <summary>The first one by name, so that it stays the same.</summary>
    private static Type? Implementation(Type type) => WireTypes.Assemblies.Values.SelectMany(WireTypes.Serialized)
        .Where(one => !one.IsAbstract && type.IsAssignableFrom(one))
        .OrderBy(WireTypes.AliasOf, StringComparer.Ordinal)
        .FirstOrDefault();
}
