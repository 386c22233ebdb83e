using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Domain.Images;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Images;

/// <summary>Downloads by curl, which nobody here wrote, over mutual TLS.</summary>
public sealed class CurlTests : IDisposable
{
    private const int Bytes = 8_000_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-curl-");
    private readonly byte[] _image = RandomNumberGenerator.GetBytes(Bytes);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Resume_OfABrokenDownload_GoesOnWhereItStopped()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(_image);
        await File.WriteAllBytesAsync(PathOf("image"), _image[..3_000_001], Stop);

        var resumed = await CurlAsync(edge, digest, "-C", "-", "-o", "image", "-w", "%{http_code} %{size_download}");

        Assert.Equal((0, $"206 {Bytes - 3_000_001}"), resumed);
        Assert.Equal(_image, await File.ReadAllBytesAsync(PathOf("image"), Stop));
    }

    [Fact]
    public async Task Resume_AfterTheConnectionWasCutInTheMiddle_GivesTheSameFile()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(_image);
        var cut = await CurlAsync(edge, digest, "-o", "image", "--limit-rate", "1M", "--max-time", "1");
        Assert.Equal(28, cut.Code);
        Assert.InRange(new FileInfo(PathOf("image")).Length, 1, Bytes - 1);

        var resumed = await CurlAsync(edge, digest, "-C", "-", "-o", "image", "-w", "%{http_code}");

        Assert.Equal((0, "206"), resumed);
        Assert.Equal(_image, await File.ReadAllBytesAsync(PathOf("image"), Stop));
    }

    [Fact]
    public async Task Resume_OfAFileThatIsWhole_SaysThatThereIsNoMore()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(_image);
        await File.WriteAllBytesAsync(PathOf("image"), _image, Stop);

        var (_, said) = await CurlAsync(edge, digest, "-C", "-", "-o", "image", "-D", "headers", "-w", "%{http_code}");

        Assert.Equal("416", said);
        Assert.Contains(
            $"content-range: bytes */{Bytes}", await File.ReadAllTextAsync(PathOf("headers"), Stop), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(_image, await File.ReadAllBytesAsync(PathOf("image"), Stop));
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task IfRange_WithAnotherTag_GetsTheWholeFile(string version)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(_image);

        var other = await CurlAsync(
            edge, digest, version, "-r", "100-199", "-H", "If-Range: \"other\"", "-o", "whole", "-w", "%{http_code} %{size_download}");
        var same = await CurlAsync(
            edge, digest, version, "-r", "100-199", "-H", $"If-Range: \"{digest}\"", "-o", "part", "-w", "%{http_code} %{size_download}");

        Assert.Equal((0, $"200 {Bytes}"), other);
        Assert.Equal((0, "206 100"), same);
        Assert.Equal(_image[100..200], await File.ReadAllBytesAsync(PathOf("part"), Stop));
    }

    private async Task<(int Code, string Said)> CurlAsync(DeviceEdge edge, ImageDigest digest, params string[] arguments)
    {
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var start = new ProcessStartInfo("curl")
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "-s", "--noproxy", "*",
                "--cacert", Write("ca.pem", edge.Pki.ServerCaPem),
                "--cert", Write("device.pem", certificate.ExportCertificatePem()),
                "--key", Write("device.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()),
            },
        };
        Array.ForEach(arguments, start.ArgumentList.Add);
        start.ArgumentList.Add($"https://localhost:{edge.HttpsPort}{edge.LinkTo(digest)}");
        using var curl = Process.Start(start)!;
        var said = await curl.StandardOutput.ReadToEndAsync(Stop);
        await curl.WaitForExitAsync(Stop);
        return (curl.ExitCode, said);
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
