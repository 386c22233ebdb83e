using System.Xml.Linq;

namespace Muster.Repository.Tests;

/// <summary>Who may reference whom. A reference that is not listed here fails, so that a boundary is moved on purpose only.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["src/Domain"] = [],
        ["src/Contracts"] = ["Domain"],
        ["src/Protocol"] = [],
        ["src/Cryptography"] = ["Domain"],
        ["src/Grains"] = ["Contracts", "Domain"],
        ["src/Storage"] = ["Contracts", "Domain"],
        ["src/Artifacts"] = ["Domain"],
        ["src/EmbeddedStore"] = [],
        ["src/Silo"] = ["Grains", "Storage", "Artifacts", "Cryptography", "Gateway", "ServiceDefaults", "EmbeddedStore"],
        ["src/Gateway"] = ["Contracts", "Domain", "Protocol", "Artifacts", "Cryptography", "ServiceDefaults"],
        ["src/Cli"] = ["Protocol", "ServiceDefaults"],
        ["src/Simulator"] = ["Protocol", "Cryptography"],
        ["src/ServiceDefaults"] = [],
        ["benches/BareGateway"] = ["Gateway", "Contracts", "Domain", "Cryptography"],
        ["benches/Fleet"] = ["Domain"],
        ["benches/InventoryLoad"] = ["Fleet", "Silo", "Gateway", "Grains", "Storage", "Contracts", "Domain"],
        ["benches/Load"] = ["Protocol", "Contracts", "Domain", "Cryptography", "Storage", "EmbeddedStore"],
        ["tests/Testing"] = ["Grains", "Storage", "EmbeddedStore", "Cryptography"],
        ["tests/StoreWriter"] = ["Testing"],
        ["tests/Domain.Tests"] = ["Domain"],
        ["tests/Contracts.Tests"] = ["Contracts", "Grains"],
        ["tests/Protocol.Tests"] = ["Protocol", "Domain"],
        ["tests/Cryptography.Tests"] = ["Cryptography"],
        ["tests/Artifacts.Tests"] = ["Artifacts"],
        ["tests/Grains.Tests"] = ["Grains", "Testing"],
        ["tests/Gateway.Tests"] = ["Gateway", "Cli", "Testing"],
        ["tests/Silo.Tests"] = ["Silo"],
        ["tests/Cli.Tests"] = ["Cli"],
        ["tests/Simulator.Tests"] = ["Simulator", "Gateway", "Testing"],
        ["tests/Redis.Tests"] = ["Storage", "EmbeddedStore", "Testing", "StoreWriter"],
        ["tests/Scenarios.Tests"] = ["Silo", "Simulator", "Cli", "Testing"],
        ["tests/Cluster.Tests"] = ["Silo", "Gateway", "Simulator", "Cli", "Testing"],
        ["tests/Repository.Tests"] = [],
    };

    [Fact]
    public void Projects_OfTheRepository_ReferenceOnlyWhatTheListAllows()
    {
        var wrong =
            from project in RepositoryFiles.Projects
            from reference in Includes(project, "ProjectReference")
            let name = Path.GetFileNameWithoutExtension(reference)
            where !(Allowed.TryGetValue(Folder(project), out var allowed) && allowed.Contains(name))
            select $"{project} references {name}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void List_OfReferences_NamesExactlyTheProjectsThatExist() =>
        Assert.Equal(
            Allowed.Keys.Order(StringComparer.Ordinal),
            RepositoryFiles.Projects.Select(Folder).Order(StringComparer.Ordinal));

    [Fact]
    public void Solution_OfTheRepository_HoldsEveryProject()
    {
        var solution = RepositoryFiles.Read("Orleans.sln").Replace('\\', '/');

        Assert.All(RepositoryFiles.Projects, project => Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void BouncyCastle_IsSeenBy_CryptographyOnly()
    {
        var projects = RepositoryFiles.Projects
            .Where(project => Includes(project, "PackageReference").Any(name => name.StartsWith("BouncyCastle", StringComparison.Ordinal)));
        var sources = RepositoryFiles.Sources("src", "benches")
            .Where(file => !file.StartsWith("src/Cryptography/", StringComparison.Ordinal))
            .Where(file => RepositoryFiles.Read(file).Contains("Org.BouncyCastle", StringComparison.Ordinal));

        Assert.Equal(["src/Cryptography/Cryptography.csproj"], projects);
        Assert.Empty(sources);
    }

    [Fact]
    public void RedisClient_IsReferencedBy_StorageSiloAndGatewayOnly()
    {
        string[] allowed = ["src/Storage", "src/Silo", "src/Gateway"];
        var wrong = RepositoryFiles.Projects
            .Where(project => project.StartsWith("src/", StringComparison.Ordinal) && !allowed.Contains(Folder(project)))
            .Where(project => Includes(project, "PackageReference").Contains("StackExchange.Redis"));

        Assert.Empty(wrong);
    }

    [Fact]
    public void Packages_OfProjects_HaveTheirVersionInOnePlace()
    {
        var wrong = RepositoryFiles.Projects.Where(project => Document(project).Descendants("PackageReference").Any(
            package => package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null));

        Assert.Empty(wrong);
    }

    private static IEnumerable<string> Includes(string project, string element) =>
        Document(project).Descendants(element).Select(item => item.Attribute("Include")!.Value.Replace('\\', '/'));

    private static XDocument Document(string project) => XDocument.Parse(RepositoryFiles.Read(project));

    private static string Folder(string project) => Path.GetDirectoryName(project)!.Replace('\\', '/');
}
