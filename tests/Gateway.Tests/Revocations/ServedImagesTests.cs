using System.Net;
using System.Security.Cryptography.X509Certificates;
using Muster.Domain;
using Muster.Gateway.Revocations;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Revocations;

/// <summary>An image's grain is asked once for all, and its yes ends with the revocation that the watch brings.</summary>
public sealed class ServedImagesTests
{
    private static readonly FleetError Revoked = FleetError.Of(ErrorKind.Precondition, "IMAGE_REVOKED", "Revoked.");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_OfManyRangesByManyDevicesAtOnce_AsksTheImageOnce()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100_000]);
        var downloads = Enumerable.Range(0, 20).Select(async index =>
        {
            var serial = $"CAM-2000{index:00}";
            using var client = CreateClient(edge, edge.Pki.Issue(serial));
            for (var from = 0; from < 100_000; from += 25_000)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, edge.LinkTo(digest, serial));
                request.Headers.Range = new(from, from + 24_999);
                using var response = await client.SendAsync(request, Stop);
                Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
            }
        });

        await Task.WhenAll(downloads);

        Assert.Equal(1, edge.Grains.ImageQuestions[digest.Value]);
    }

    [Fact]
    public async Task Get_AfterTheWatchToldOfTheRevocation_IsRefusedByTheGrain()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, edge.LinkTo(digest)));

        edge.Grains.Unserved[digest.Value] = Revoked;
        edge.Grains.Inventory.Revoke(digest);

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await StatusAsync(client, edge.LinkTo(digest)) != HttpStatusCode.Forbidden)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token);
        }

        Assert.Equal(2, edge.Grains.ImageQuestions[digest.Value]);
    }

    [Fact]
    public async Task Get_AfterARefusal_AsksAgainUntilTheImageIsPublished()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        edge.Grains.Unserved[digest.Value] = FleetError.Of(ErrorKind.Precondition, "IMAGE_NOT_PUBLISHED", "A draft.");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, edge.LinkTo(digest)));

        edge.Grains.Unserved.Clear();

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, edge.LinkTo(digest)));
    }

    [Fact]
    public async Task Get_OfAHeldImageWhenNoSiloAnswers_IsUnavailable()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, edge.LinkTo(digest)));
        edge.Grains.Inventory.IsAway = true;

        edge.Pki.Clock.ShiftTimestamps(WatchedPartitions.AdmitAgeMax + TimeSpan.FromSeconds(0.1));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(client, edge.LinkTo(digest)));
        Assert.Equal(1, edge.Grains.ImageQuestions[digest.Value]);
    }

    /// <summary>A silo of a version that tells of devices only.</summary>
    [Fact]
    public async Task Get_AfterTheLease_AsksTheImageAgain()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, edge.LinkTo(digest)));
        edge.Grains.Unserved[digest.Value] = Revoked;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, edge.LinkTo(digest)));

        edge.Pki.Clock.ShiftTimestamps(ServedImages.Lease);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, edge.LinkTo(digest)));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string link)
    {
        using var response = await client.GetAsync(link, Stop);
        return response.StatusCode;
    }

    private static HttpClient CreateClient(DeviceEdge edge, X509Certificate2 certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                ClientCertificates = [certificate],
                RemoteCertificateValidationCallback = (_, server, _, _) => edge.Pki.IsServer(server),
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{edge.HttpsPort}") };
    }
}
