using Muster.Cli.Session;

namespace Muster.Cli.Tests;

public sealed class ProfileTests
{
    [Fact]
    public void Find_WithEverything_PrefersTheOption()
    {
        Assert.Equal("/named", ProfileFolder.Find("/named", _ => "/environment").Path);
        Assert.Equal("/environment", ProfileFolder.Find(null, _ => "/environment").Path);
        Assert.EndsWith("/.muster", ProfileFolder.Find(null, _ => null).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OperatorsRequest_MakesAKeyThatOnlyItsOwnerReads()
    {
        using var folder = new TestFolder();

        var (code, output, _) = await CommandLineTests.RunAsync("operators", "request", "bob", "--profile", folder.In("bob"), "-o", "json");

        Assert.Equal(ExitCodes.Done, code);
        Assert.Equal(folder.In("bob/operator.csr"), output.Trim());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.In("bob/operator.key")));
        }

        var request = await File.ReadAllTextAsync(output.Trim(), TestContext.Current.CancellationToken);
        Assert.Contains("BEGIN CERTIFICATE REQUEST", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OperatorsRequest_Twice_KeepsTheFirstKey()
    {
        using var folder = new TestFolder();
        await CommandLineTests.RunAsync("operators", "request", "bob", "--profile", folder.Path);
        var key = await File.ReadAllTextAsync(folder.In("operator.key"), TestContext.Current.CancellationToken);

        var (code, _, error) = await CommandLineTests.RunAsync("operators", "request", "bob", "--profile", folder.Path);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("already is a key", error, StringComparison.Ordinal);
        Assert.Equal(key, await File.ReadAllTextAsync(folder.In("operator.key"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task OperatorsAccept_OfAGrantForAnotherKey_IsRefused()
    {
        using var folder = new TestFolder();
        using var other = new TestFolder();
        await CommandLineTests.RunAsync("operators", "request", "bob", "--profile", folder.Path);
        await TestProfiles.WriteGrantAsync(folder.In("own.json"), folder.In("operator.key"));
        await CommandLineTests.RunAsync("operators", "request", "eve", "--profile", other.Path);

        var right = await CommandLineTests.RunAsync("operators", "accept", folder.In("own.json"), "--profile", folder.Path);
        var wrong = await CommandLineTests.RunAsync("operators", "accept", folder.In("own.json"), "--profile", other.Path);

        Assert.Equal(ExitCodes.Done, right.Code);
        Assert.Equal("https://localhost:7443", new ProfileFolder(folder.Path).Read().Server);
        Assert.Equal(ExitCodes.Usage, wrong.Code);
        Assert.False(File.Exists(other.In("profile.json")));
    }
}
