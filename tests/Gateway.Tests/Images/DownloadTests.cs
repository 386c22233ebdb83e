using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Images;

public sealed class DownloadTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];

    [Fact]
    public async Task Get_OfTheDesiredDigest_GivesTheBytes()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync(edge.LinkTo(digest), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"\"{digest}\"", response.Headers.ETag!.Tag);
        Assert.Equal("bytes", response.Headers.AcceptRanges.Single());
        Assert.Equal(Bytes, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Get_OfARevokedImage_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        edge.Grains.Unserved[digest.Value] = FleetError.Of(ErrorKind.Precondition, "IMAGE_REVOKED", "Revoked.");
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync(edge.LinkTo(digest), TestContext.Current.CancellationToken);

        Assert.False(response.IsSuccessStatusCode);
        Assert.Contains(
            "IMAGE_REVOKED", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_GivesLengthAndNoBytes()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.SendAsync(
            new HttpRequestMessage(HttpMethod.Head, edge.LinkTo(digest)), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, Bytes.Length), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData(true, HttpStatusCode.PartialContent, 10)]
    [InlineData(false, HttpStatusCode.OK, 100_000)]
    public async Task Get_OfARange_ResumesWhenTheTagIsTheSame(bool isSameTag, HttpStatusCode status, int length)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var request = new HttpRequestMessage(HttpMethod.Get, edge.LinkTo(digest));
        request.Headers.Range = new RangeHeaderValue(99_990, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(isSameTag ? $"\"{digest}\"" : "\"other\"");

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(Bytes[^length..], await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Get_OfARangeBeyondTheEnd_IsNotSatisfiable()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var request = new HttpRequestMessage(HttpMethod.Get, edge.LinkTo(digest));
        request.Headers.Range = new RangeHeaderValue(100_000, null);

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
    }

    [Fact]
    public async Task Get_WhenTheDesiredStateChanges_IsRefusedOnTheNextRequest()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));
        using var allowed = await client.GetAsync(edge.LinkTo(digest), TestContext.Current.CancellationToken);
        edge.Grains.Device(Samples.Serial).Authorize = request => FleetError.Of(
            ErrorKind.Denied, "DOWNLOAD_NOT_ALLOWED", "The desired state does not name it.", ("digest", request.Digest));

        using var response = await client.GetAsync(edge.LinkTo(digest), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(
            "DOWNLOAD_NOT_ALLOWED",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("self-signed", "CERTIFICATE_UNTRUSTED")]
    [InlineData("untrusted", "CERTIFICATE_UNTRUSTED")]
    [InlineData("expired", "CERTIFICATE_EXPIRED")]
    public async Task Get_WithABadCertificate_IsRefusedWithTheReason(string kind, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(Bytes);
        using var client = CreateClient(edge, kind switch
        {
            "self-signed" => TestPki.CreateSelfSigned(Samples.Serial),
            "untrusted" => TestPki.IssueUntrusted(Samples.Serial),
            _ => edge.Pki.IssueExpired(Samples.Serial),
        });

        using var response = await client.GetAsync(edge.LinkTo(digest), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains(reason, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_WithoutACertificate_FailsInTheHandshake()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var client = CreateClient(edge, null);

        await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => client.GetAsync($"/v1/images/{Samples.Digest}", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("not-a-digest", HttpStatusCode.BadRequest)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", HttpStatusCode.NotFound)]
    public async Task Get_OfWhatIsNotThere_SaysSo(string digest, HttpStatusCode expected)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        using var response = await client.GetAsync(
            ImageDigest.TryParse(digest, out var image) ? edge.LinkTo(image) : $"/v1/images/{digest}",
            TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("not-a-digest")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Get_OfWhoeverMayNotConnect_IsRefusedForThatWhateverItAsksFor(string digest)
    {
        await using var edge = await DeviceEdge.StartAsync();
        Assert.True(DeviceId.TryParse(Samples.Serial, out var id));
        edge.Grains.Device(Samples.Serial).Access = _ => new AccessReply(DeviceErrors.Tombstone(id), null);
        using var client = CreateClient(edge, edge.Pki.Issue(Samples.Serial));

        Assert.Equal(
            (HttpStatusCode.Forbidden, "DEVICE_DECOMMISSIONED"), await DeviceHttp.AskAsync(client, $"/v1/images/{digest}"));
    }

    private static HttpClient CreateClient(DeviceEdge edge, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, server, _, _) => edge.Pki.IsServer(server),
                ClientCertificates = certificate is null ? [] : [certificate],
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{edge.HttpsPort}") };
    }
}
