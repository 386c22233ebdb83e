using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Manifests;
using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Fleet;

/// <summary>Gets an image over HTTPS with the device's certificate, going on where the last attempt ended, and verifies it.</summary>
internal sealed class ImageDownload(FleetOptions options, CmsImageVerifier verifier, TimeProvider time)
{
    /// <summary>A download that failed so often will not succeed soon.</summary>
    private const int AttemptsMax = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Null when the whole file is there, else why not.</summary>
    public async Task<string?> GetAsync(OsTarget target, X509Certificate2 identity, string path, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(Handler(identity));
        var fault = "";
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            try
            {
                await AppendAsync(client, target, path, cancellationToken);
                if (new FileInfo(path).Length == target.SizeBytes)
                {
                    return null;
                }

                fault = "the file has another size than announced";
                File.Delete(path);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                fault = e.Message;
            }

            await Task.Delay(Pause * attempt, time, cancellationToken);
        }

        return fault;
    }

    /// <summary>Null when the file is what was promised and signed under a trusted root, else the reason.</summary>
    public string? Verify(OsTarget target, string path)
    {
        using var file = File.OpenRead(path);
        var verdict = verifier.Verify(file, target.Signature.Memory, time.GetUtcNow());
        if (verdict.Error is { } error)
        {
            return error.Reason;
        }

        return verdict.Content?.Digest.Value == target.Digest ? null : "IMAGE_DIGEST_MISMATCH";
    }

    private async Task AppendAsync(HttpClient client, OsTarget target, string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write);
        if (file.Length >= target.SizeBytes)
        {
            return;
        }

        var uri = new UriBuilder("https", options.Https.Host, options.Https.Port, target.Path).Uri;
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (file.Length > 0)
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue($"\"{target.Digest}\""));
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        file.Position = response.StatusCode == HttpStatusCode.PartialContent ? file.Length : 0;
        file.SetLength(file.Position);
        await response.Content.CopyToAsync(file, cancellationToken);
    }

    private SocketsHttpHandler Handler(X509Certificate2 identity) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = [identity],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => identity,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                certificate is X509Certificate2 server
                && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
                && options.IsServer(server, time.GetUtcNow()),
        },
    };
}
