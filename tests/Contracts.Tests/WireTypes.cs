using System.Reflection;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;

namespace Muster.Contracts.Tests;

/// <summary>What crosses processes or lies in the store, as the assemblies say it.</summary>
internal static class WireTypes
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>By the folder of the project.</summary>
    public static IReadOnlyDictionary<string, Assembly> Assemblies { get; } = new Dictionary<string, Assembly>
    {
        ["Domain"] = typeof(Device).Assembly,
        ["Contracts"] = typeof(IDeviceGrain).Assembly,
        ["Grains"] = Assembly.Load("Muster.Grains"),
    };

    public static IEnumerable<Type> Serialized(Assembly assembly) =>
        Own(assembly).Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null);

    public static IEnumerable<Type> Interfaces(Assembly assembly) =>
        Own(assembly).Where(type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type));

    /// <summary>Their numbers are what is stored.</summary>
    public static IEnumerable<Type> Enums(Assembly assembly) => Own(assembly).Where(type => type is { IsEnum: true, IsPublic: true });

    public static string? AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias;

    /// <summary>The members with an id, of this type alone.</summary>
    public static IEnumerable<(uint Id, MemberInfo Member, Type Type)> MembersOf(Type type) =>
        from member in type.GetMembers(Members)
        where member is PropertyInfo or FieldInfo
        let id = member.GetCustomAttribute<IdAttribute>(inherit: false)
        where id is not null
        orderby id.Id
        select (id.Id, member, member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType);

    /// <summary>A type as people write it, by alias where it has one.</summary>
    public static string NameOf(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return NameOf(value) + "?";
        }

        if (type.IsArray)
        {
            return NameOf(type.GetElementType()!) + "[]";
        }

        if (!type.IsGenericType)
        {
            return AliasOf(type) ?? type.Name;
        }

        var name = AliasOf(type) ?? type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
    }

    private static IEnumerable<Type> Own(Assembly assembly) => assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith("Muster.", StringComparison.Ordinal) == true)
        .OrderBy(type => AliasOf(type) ?? type.FullName, StringComparer.Ordinal);
}
