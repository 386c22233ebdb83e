using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Artifacts.Tests;

/// <summary>
/// s3rver looks at no signature: what is signed is compared here with AWS Signature Version 4, because a header is changed on its way.
/// </summary>
public sealed class S3SignatureTests
{
    private const string Secret = "secret";

    [Fact]
    public async Task TryCopyAsync_SendsItsSourceWithSlashes_AndSignsWhatItSends()
    {
        using var server = new HttpListener();
        var port = FreePort();
        server.Prefixes.Add($"http://127.0.0.1:{port}/");
        server.Start();
        using var objects = new S3Objects(new S3ArtifactOptions
        {
            Endpoint = $"http://127.0.0.1:{port}", Bucket = "images", Prefix = "muster/", AccessKey = "access", SecretKey = Secret,
        });
        var copying = objects.TryCopyAsync("staged/a", "published/a", TestContext.Current.CancellationToken);

        var context = await server.GetContextAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var (sent, expected) = (context.Request.Headers["Authorization"]!, Sign(context.Request));
        context.Response.StatusCode = 404;
        context.Response.Close();

        Assert.False(await copying);
        Assert.Equal("images/muster/staged/a", context.Request.Headers["x-amz-copy-source"]!.TrimStart('/'));
        Assert.Contains("x-amz-copy-source", sent, StringComparison.Ordinal);
        Assert.EndsWith($"Signature={expected}", sent, StringComparison.Ordinal);
    }

    private static string Sign(HttpListenerRequest request)
    {
        var parts = request.Headers["Authorization"]!.Split(' ', 2)[1].Split(',').Select(part => part.Trim().Split('=', 2))
            .ToDictionary(part => part[0], part => part[1]);
        var headers = parts["SignedHeaders"].Split(';').Select(name => $"{name}:{request.Headers[name]!.Trim()}\n");
        var canonical = string.Join(
            '\n',
            request.HttpMethod,
            request.Url!.AbsolutePath,
            "",
            string.Concat(headers),
            parts["SignedHeaders"],
            request.Headers["x-amz-content-sha256"]);
        var scope = parts["Credential"].Split('/', 2)[1];
        var text = $"AWS4-HMAC-SHA256\n{request.Headers["x-amz-date"]}\n{scope}\n"
            + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
        var key = Encoding.UTF8.GetBytes("AWS4" + Secret);
        foreach (var step in scope.Split('/'))
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
