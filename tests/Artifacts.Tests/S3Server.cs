using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Muster.Artifacts.Tests;

/// <summary>A server that speaks as S3 does and that nobody here wrote (s3rver), with one bucket; <c>./test</c> installs it.</summary>
internal sealed class S3Server : IAsyncDisposable
{
    public const string Bucket = "images";

    /// <summary>Both of its keys. It looks at the access key and at no signature.</summary>
    private const string Key = "S3RVER";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "..", "tools", "s3-server", "node_modules", "s3rver", "bin", "s3rver.js"));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-s3-");
    private readonly Process _process;
    private readonly int _port;

    private S3Server()
    {
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        _process = Process.Start(new ProcessStartInfo(
            "node", [Program, "-d", _folder.FullName, "-a", "127.0.0.1", "-p", $"{_port}", "--silent", "--configure-bucket", Bucket]))!;
    }

    public S3ArtifactOptions Options => new()
    {
        Endpoint = $"http://127.0.0.1:{_port}", Bucket = Bucket, Prefix = "muster/", AccessKey = Key, SecretKey = Key,
    };

    public static async Task<S3Server> StartAsync()
    {
        var server = new S3Server();
        for (var started = Stopwatch.StartNew(); ; await Task.Delay(TimeSpan.FromMilliseconds(50)))
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, server._port);
                return server;
            }
            catch (SocketException) when (started.Elapsed < Patience && !server._process.HasExited)
            {
                // It is not there yet.
            }
        }
    }

    /// <summary>All that it has came so much earlier.</summary>
    public void Age(TimeSpan by)
    {
        foreach (var file in _folder.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            file.LastWriteTimeUtc -= by;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
