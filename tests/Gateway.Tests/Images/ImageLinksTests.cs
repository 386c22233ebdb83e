using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Images;

/// <summary>A link is for one device, one image and a short time, beside the certificate and, behind a proxy, instead of it.</summary>
public sealed class ImageLinksTests
{
    private static readonly (HttpStatusCode, string) Served = (HttpStatusCode.OK, "");

    [Fact]
    public async Task Get_WithoutALink_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = DeviceHttp.Create(edge);

        Assert.Equal((HttpStatusCode.Forbidden, "LINK_MISSING"), await DeviceHttp.AskAsync(client, $"/v1/images/{digest}"));
    }

    [Fact]
    public async Task Get_ByTheLinkOfAnotherDevice_IsRefusedWithoutAskingForIt()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = DeviceHttp.Create(edge);
        edge.Grains.Device(Samples.Serial).Authorize = _ => throw new InvalidOperationException("asked");

        var answer = await DeviceHttp.AskAsync(client, edge.LinkTo(digest, Samples.OtherSerial));

        Assert.Equal((HttpStatusCode.Forbidden, "LINK_INVALID"), answer);
    }

    [Theory]
    [InlineData("tenant=default", "tenant=other")]
    [InlineData(Samples.Serial, Samples.OtherSerial)]
    [InlineData("expires=", "expires=9")]
    [InlineData("key=1", "key=2")]
    [InlineData("key=1", "key=x")]
    [InlineData("signature=", "signature=A")]
    [InlineData("signature=", "no=")]
    public async Task Get_ByALinkThatWasAltered_IsRefused(string part, string by)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = DeviceHttp.Create(edge);
        using var other = DeviceHttp.Create(edge, Samples.OtherSerial);
        var link = edge.LinkTo(digest);
        Assert.Equal(Served, await DeviceHttp.AskAsync(client, link));

        var altered = link.Replace(part, by, StringComparison.Ordinal);

        Assert.NotEqual(link, altered);
        foreach (var device in (HttpClient[])[client, other])
        {
            var (status, reason) = await DeviceHttp.AskAsync(device, altered);
            Assert.Equal(HttpStatusCode.Forbidden, status);
            Assert.Equal(part == "signature=" && by == "no=" ? "LINK_MISSING" : "LINK_INVALID", reason);
        }
    }

    [Fact]
    public async Task Get_ByTheLinkToAnotherImage_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var (one, other) = (edge.Artifacts.Add([1]), edge.Artifacts.Add([2]));
        using var client = DeviceHttp.Create(edge);

        var answer = await DeviceHttp.AskAsync(client, edge.LinkTo(one).Replace(one.Value, other.Value, StringComparison.Ordinal));

        Assert.Equal((HttpStatusCode.Forbidden, "LINK_INVALID"), answer);
    }

    [Theory]
    [InlineData(9.9, "")]
    [InlineData(10.1, "LINK_EXPIRED")]
    public async Task Get_ByALinkOfTenMinutes_IsRefusedAfterThem(double minutes, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Downloads:LinkLifetime", "00:10:00"));
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = DeviceHttp.Create(edge);
        var link = edge.LinkTo(digest);

        edge.Pki.Clock.Shift(TimeSpan.FromMinutes(minutes));

        Assert.Equal(reason, (await DeviceHttp.AskAsync(client, link)).Reason);
        Assert.Equal(Served, await DeviceHttp.AskAsync(client, edge.LinkTo(digest)));
    }

    /// <summary>Another gateway heard of the newest secret first, and signed with it.</summary>
    [Fact]
    public async Task Get_ByALinkWithASecretThatIsNewHere_AsksForItOnce()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var ahead = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[100]);
        using var client = DeviceHttp.Create(edge);
        var rolled = edge.Grains.LinkKeys.Keys
            .Roll([.. RandomNumberGenerator.GetBytes(LinkKey.SecretBytes)], DateTimeOffset.UnixEpoch).Next;
        var link = new ImageLink(TenantId.Default, Id(Samples.Serial), digest, DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        var signature = new byte[ImageLink.SignatureBytes];
        link.Sign(rolled.Newest!, signature);
        var path = $"/v1/images/{digest}?tenant=default&device={Samples.Serial}&expires={link.ExpiresAt}&key=2&signature="
            + System.Buffers.Text.Base64Url.EncodeToString(signature);
        Assert.Equal("LINK_INVALID", (await DeviceHttp.AskAsync(client, path)).Reason);

        edge.Grains.LinkKeys.Keys = rolled;
        edge.Pki.Clock.ShiftTimestamps(TimeSpan.FromSeconds(1));

        Assert.Equal(Served, await DeviceHttp.AskAsync(client, path));
        Assert.Contains("&key=2&", edge.LinkTo(digest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_WhereTlsEndedBefore_IsServedByTheLinkAlone()
    {
        var port = FreePort();
        await using var edge = await DeviceEdge.StartAsync(("Muster:Downloads:LinkPort", $"{port}"));
        var digest = edge.Artifacts.Add(new byte[100]);
        using var proxy = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        var asked = new List<bool>();
        edge.Grains.Device(Samples.Serial).Authorize = command =>
        {
            asked.Add(command.Identity is null);
            return null;
        };

        Assert.Equal(Served, await DeviceHttp.AskAsync(proxy, edge.LinkTo(digest)));
        Assert.Equal([true], asked);
        Assert.Equal("LINK_MISSING", (await DeviceHttp.AskAsync(proxy, $"/v1/images/{digest}")).Reason);
        edge.Pki.Clock.Shift(TimeSpan.FromHours(-2));
        var old = edge.LinkTo(digest);
        edge.Pki.Clock.Shift(TimeSpan.FromHours(2));
        Assert.Equal("LINK_EXPIRED", (await DeviceHttp.AskAsync(proxy, old)).Reason);
        using var nothingElse = await proxy.GetAsync("/.well-known/est/cacerts", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, nothingElse.StatusCode);
    }

    [Fact]
    public async Task Get_WhereTlsEndedBefore_EndsWithTheDevicesRight()
    {
        var port = FreePort();
        await using var edge = await DeviceEdge.StartAsync(("Muster:Downloads:LinkPort", $"{port}"));
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var proxy = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using var response = await proxy.GetAsync(
            edge.LinkTo(digest), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(1, edge.OpenDownloads);

        edge.Grains.Inventory.Revoke(Samples.Serial, RevocationEffect.End);

        await Eventually.TrueAsync(() => edge.OpenDownloads == 0, "the download is broken off");
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken));
    }

    private static DeviceId Id(string serial) => DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
