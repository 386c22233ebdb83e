using Muster.Domain.Tenants;

namespace Muster.Domain.Tests.Tenants;

public sealed class TenantDirectoryTests
{
    [Theory]
    [InlineData("devices.acme.example", "acme")]
    [InlineData("DEVICES.acme.example", "acme")]
    [InlineData("beta", "beta")]
    [InlineData("muster.example", "default")]
    [InlineData("acme", null)]
    [InlineData("x.devices.acme.example", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Find_WithSeveralTenants_TakesTheNameAndNothingElse(string? serverName, string? tenant)
    {
        var directory = Create(
            Names("default", "muster.example"), Names("acme", "devices.acme.example", "d2.acme.example"), Names("beta", "beta"));

        Assert.Equal(tenant, directory.Find(serverName)?.Value);
        Assert.True(directory.IsShared);
        Assert.Equal(["default", "acme", "beta"], directory.Tenants.Select(one => one.Value));
    }

    [Theory]
    [InlineData("anything.example")]
    [InlineData("")]
    [InlineData(null)]
    public void Find_WithOneTenant_IsAlwaysDefault(string? serverName)
    {
        Assert.Equal(TenantId.Default, TenantDirectory.OfOne.Find(serverName));
        Assert.Equal(TenantId.Default, Create(Names("default", "muster.example")).Find(serverName));
        Assert.False(TenantDirectory.OfOne.IsShared);
    }

    [Fact]
    public void Find_WithATenantBesideDefault_DoesNotFallBackToDefault() =>
        Assert.Null(Create(Names("acme", "acme.example")).Find("muster.example"));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("a b")]
    [InlineData("*.acme.example")]
    [InlineData("-a.example")]
    [InlineData("a..example")]
    [InlineData("acme.example.")]
    public void Create_WithANameThatIsNoServerName_SaysSo(string name) =>
        Assert.Contains("no DNS name", TenantDirectory.Create([Names("acme", name)]).Problem, StringComparison.Ordinal);

    [Fact]
    public void Create_WithAmbiguities_SaysWhich()
    {
        Assert.Contains(
            "'A.example' is there twice",
            TenantDirectory.Create([Names("acme", "a.example"), Names("beta", "A.example")]).Problem,
            StringComparison.Ordinal);
        Assert.Contains(
            "'acme' is there twice", TenantDirectory.Create([Names("acme", "a"), Names("acme", "b")]).Problem, StringComparison.Ordinal);
        Assert.Contains("needs 1 to", TenantDirectory.Create([Names("acme")]).Problem, StringComparison.Ordinal);
        var many = Enumerable.Range(0, TenantDirectory.TenantsMax + 1).Select(i => Names($"t{i}", $"n{i}")).ToArray();
        Assert.Contains("at most", TenantDirectory.Create(many).Problem, StringComparison.Ordinal);
        Assert.Null(TenantDirectory.Create(many[1..]).Problem);
    }

    private static TenantDirectory Create(params TenantNames[] entries) => TenantDirectory.Create(entries).Directory!;

    private static TenantNames Names(string tenant, params string[] names) =>
        new(TenantId.TryParse(tenant, out var id) ? id : throw new FormatException(tenant), [.. names]);
}
