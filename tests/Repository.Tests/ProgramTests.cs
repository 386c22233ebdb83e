using System.Diagnostics;

namespace Muster.Repository.Tests;

/// <summary>What README promises of `dotnet run`.</summary>
public sealed class ProgramTests
{
    [Theory]
    [InlineData("src/Silo/Silo.csproj")]
    [InlineData("src/Gateway/Gateway.csproj")]
    public async Task DotnetRun_OfAHost_StartsItWhereItWasCalled(string project)
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", ["msbuild", project, "-getProperty:RunWorkingDirectory"])
            {
                RedirectStandardOutput = true,
                WorkingDirectory = RepositoryFiles.Root,
            })!;
        var folder = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (process.ExitCode, folder.Trim()));
    }
}
