using System.Net;
using System.Text.Json;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Images;

/// <summary>A device's HTTPS, and what refusals say.</summary>
internal static class DeviceHttp
{
    public static HttpClient Create(DeviceEdge edge, string serial = Samples.Serial) => new(new SocketsHttpHandler
    {
        SslOptions =
        {
            ClientCertificates = [edge.Pki.Issue(serial)],
            RemoteCertificateValidationCallback = (_, server, _, _) => edge.Pki.IsServer(server),
        },
    })
    {
        BaseAddress = new Uri($"https://localhost:{edge.HttpsPort}"),
    };

    /// <summary>Status, and the reason of a problem; empty for what was served.</summary>
    public static async Task<(HttpStatusCode Status, string Reason)> AskAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return (response.StatusCode, "");
        }

        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonDocument.Parse(body).RootElement.GetProperty("reason").GetString()!);
    }
}
