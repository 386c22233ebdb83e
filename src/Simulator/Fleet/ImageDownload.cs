using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Domain.Images;
using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Fleet;

/// <summary>Gets an image over HTTPS with the device's certificate, going on where the last attempt ended, and verifies it.</summary>
internal sealed class ImageDownload(FleetOptions options, IImageVerifier verifier, TimeProvider time)
{
    /// <summary>What <see cref="GetAsync"/> says when the way to the image is not good any more: the device asks for another.</summary>
    public const string LinkEnded = "LINK_ENDED";

    /// <summary>A download that failed so often will not succeed soon.</summary>
    private const int AttemptsMax = 8;

    /// <summary>A server that is busy is not a fault; one that is for so many of its own pauses is.</summary>
    private const int BusyMax = 200;

    /// <summary>A problem is some hundred bytes; what is longer is none.</summary>
    private const int ProblemBytesMax = 16 * 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Null when the whole file is there, else why not.</summary>
    public async Task<string?> GetAsync(OsTarget target, X509Certificate2 identity, string path, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(Handler(identity));
        var fault = "";
        for (int attempt = 1, busy = 0; attempt <= AttemptsMax; attempt++)
        {
            try
            {
                var refused = await AppendAsync(client, target, path, cancellationToken);
                if (refused?.RetryAfter is { } after && ++busy <= BusyMax)
                {
                    attempt--;
                    await Task.Delay(after, time, cancellationToken);
                    continue;
                }

                if (refused is { Reason: "LINK_EXPIRED" or "LINK_INVALID" or "LINK_MISSING" })
                {
                    return LinkEnded;
                }

                if (refused is null && new FileInfo(path).Length == target.SizeBytes)
                {
                    return null;
                }

                fault = refused?.Reason ?? "the file has another size than announced";
                if (refused is null)
                {
                    File.Delete(path);
                }
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

        // A bundle holds its signature, whichever of the two it is.
        var format = target.Signature.IsEmpty ? ImageFormat.RaucVerity : ImageFormat.Detached;
        var verdict = verifier.Verify(file, format, target.Signature.Memory, time.GetUtcNow());
        if (verdict.Error is { } error)
        {
            return error.Reason;
        }

        return verdict.Content?.Digest.Value == target.Digest ? null : "IMAGE_DIGEST_MISMATCH";
    }

    /// <summary>Null when all that was asked for came; else what the server said instead.</summary>
    private async Task<Refusal?> AppendAsync(HttpClient client, OsTarget target, string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write);
        if (file.Length >= target.SizeBytes)
        {
            return null;
        }

        var uri = new Uri(new UriBuilder("https", options.Https.Host, options.Https.Port).Uri, target.Path);
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (file.Length > 0)
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue($"\"{target.Digest}\""));
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return await ReadRefusalAsync(response, cancellationToken);
        }

        file.Position = response.StatusCode == HttpStatusCode.PartialContent ? file.Length : 0;
        file.SetLength(file.Position);
        await response.Content.CopyToAsync(file, cancellationToken);
        return null;
    }

    private static async Task<Refusal> ReadRefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var after = response.StatusCode == HttpStatusCode.ServiceUnavailable ? response.Headers.RetryAfter?.Delta : null;
        var status = $"HTTP {(int)response.StatusCode}";
        if (response.Content.Headers.ContentLength is > ProblemBytesMax)
        {
            return new Refusal(status, after);
        }

        try
        {
            using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            return new Refusal(problem.RootElement.GetProperty("reason").GetString() ?? status, after);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new Refusal(status, after);
        }
    }

    /// <summary>Why nothing was sent, and when to come again if that passes.</summary>
    private sealed record Refusal(string Reason, TimeSpan? RetryAfter);

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
