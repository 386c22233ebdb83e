using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Muster.Cryptography.Certificates;

namespace Muster.Scenarios.Tests;

/// <summary>A start that cannot succeed ends with a sentence that says what to do.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task Start_WhenAnotherProgramListens_EndsWithTheAddressAndTheSettings()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var folder = Directory.CreateTempSubdirectory("muster-start-");
        try
        {
            var (code, error) = await RunAsync(folder.FullName, port);

            Assert.Equal(1, code);
            Assert.Contains($"127.0.0.1:{port}", error, StringComparison.Ordinal);
            Assert.Contains("Muster:Mqtt:Port", error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Start_OnDataThatAreInUse_EndsWithTheFolderAndTheSetting()
    {
        await using var muster = new OneProcess();
        await muster.StartAsync(TestContext.Current.CancellationToken);

        var (code, error) = await RunAsync(muster.Folder, OneProcess.FreePorts(1)[0]);

        Assert.Equal(1, code);
        Assert.Contains(muster.Folder, error, StringComparison.Ordinal);
        Assert.Contains("Muster:Data:Directory", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [SupportedOSPlatform("linux")]
    [InlineData("640")]
    [InlineData("660")]
    public async Task Start_WithAKeyOfTheFleetCaThatOthersGetAt_EndsWithChmod(string mode)
    {
        var folder = Directory.CreateTempSubdirectory("muster-start-");
        try
        {
            var pki = Path.Combine(folder.FullName, "pki");
            var now = TimeProvider.System.GetUtcNow();
            CertificateAuthority.LoadOrCreate(pki, "fleet-ca-1", "Muster fleet CA 1", now, TimeSpan.FromDays(9)).Dispose();
            var key = Path.Combine(pki, "fleet-ca-1.key");
            File.SetUnixFileMode(key, (UnixFileMode)Convert.ToInt32(mode, 8));

            var (code, error) = await RunAsync(folder.FullName, OneProcess.FreePorts(1)[0]);

            Assert.Equal(1, code);
            Assert.Contains($"chmod 600 '{key}'", error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(int Code, string Error)> RunAsync(string folder, int mqttPort)
    {
        var free = OneProcess.FreePorts(4);
        var environment = new Dictionary<string, string>
        {
            ["Muster__Data__Directory"] = folder,
            ["Muster__Mqtt__Port"] = $"{mqttPort}",
            ["Muster__DeviceHttps__Port"] = $"{free[0]}",
            ["Muster__Grpc__Port"] = $"{free[1]}",
            ["Muster__Cluster__SiloPort"] = $"{free[2]}",
            ["Muster__Cluster__GatewayPort"] = $"{free[3]}",
        };
        var cancellation = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        await output;
        return (process.ExitCode, await error);
    }
}
