using System.Reflection;
using System.Text;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Tests;

/// <summary>
/// The wire identity of grain interfaces and serialized types, written down in <c>OrleansContracts.txt</c> beside each project, so that
/// a change of it is seen in a review. <c>MUSTER_WRITE_DOCS=1</c> writes the files anew.
/// </summary>
public sealed class ManifestTests
{
    [Theory]
    [InlineData("Domain")]
    [InlineData("Contracts")]
    [InlineData("Grains")]
    public void Manifest_OfAProject_SaysWhatTheAssemblySays(string project) => GoldenFile.AssertSame(
        Path.Combine("src", project, "OrleansContracts.txt"), Write(WireTypes.Assemblies[project]));

    [Theory]
    [InlineData("Domain")]
    [InlineData("Contracts")]
    [InlineData("Grains")]
    public void Types_OfAProject_HaveExplicitNamesOnTheWire(string project)
    {
        var assembly = WireTypes.Assemblies[project];
        var nameless = WireTypes.Serialized(assembly).Where(type => WireTypes.AliasOf(type) is null).Select(type => type.FullName)
            .Concat(WireTypes.Interfaces(assembly).Where(type => WireTypes.AliasOf(type) is null).Select(type => type.FullName))
            .Concat(WireTypes.Interfaces(assembly).SelectMany(Methods)
                .Where(method => WireTypes.AliasOf(method) is null)
                .Select(method => $"{method.DeclaringType!.FullName}.{method.Name}"));
        var twice = WireTypes.Assemblies.Values.SelectMany(WireTypes.Serialized).Select(WireTypes.AliasOf)
            .GroupBy(alias => alias).Where(group => group.Count() > 1).Select(group => group.Key);

        Assert.Empty(nameless);
        Assert.Empty(twice);
    }

    private static string Write(Assembly assembly)
    {
        var text = new StringBuilder("# Names and ids on the wire and in the store. Ids are never renumbered or reused.\n");
        text.Append("# Written anew by tests/Contracts.Tests with MUSTER_WRITE_DOCS=1.\n");
        foreach (var type in WireTypes.Interfaces(assembly))
        {
            var version = type.GetCustomAttribute<VersionAttribute>()?.Version;
            text.Append($"\ninterface {WireTypes.AliasOf(type)} version {version?.ToString() ?? "none"}\n");
            foreach (var method in Methods(type))
            {
                var parameters = string.Join(", ", method.GetParameters().Select(one => WireTypes.NameOf(one.ParameterType)));
                text.Append($"  {WireTypes.AliasOf(method)}({parameters}) -> {WireTypes.NameOf(method.ReturnType)}\n");
            }
        }

        foreach (var type in WireTypes.Serialized(assembly))
        {
            text.Append($"\ntype {WireTypes.AliasOf(type)}\n");
            foreach (var (id, member, memberType) in WireTypes.MembersOf(type))
            {
                text.Append($"  {id} {member.Name}: {WireTypes.NameOf(memberType)}\n");
            }
        }

        foreach (var type in WireTypes.Enums(assembly))
        {
            text.Append($"\nenum {type.Name}: {Enum.GetUnderlyingType(type).Name}\n");
            foreach (var name in Enum.GetNames(type))
            {
                text.Append($"  {Enum.Format(type, Enum.Parse(type, name), "d")} {name}\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<MethodInfo> Methods(Type type) =>
        type.GetMethods().OrderBy(method => WireTypes.AliasOf(method) ?? method.Name, StringComparer.Ordinal);
}
