using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Muster.Domain.Images;
using Muster.Gateway.Images;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Images;

/// <summary>How many download at once, and how fast.</summary>
public sealed class TransferLimitTests : IDisposable
{
    private const string Harbour = "harbour";

    /// <summary>One of each device, as its connections are counted.</summary>
    private readonly ConcurrentDictionary<int, HttpClient> _devices = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Muster:Downloads:TransfersMax", "gateway")]
    [InlineData("Muster:Downloads:SiteTransfersMax", "site")]
    public async Task Get_AboveTheLimit_IsToldWhenToComeAgainAndFindsThePlaceOfWhoWent(string setting, string of)
    {
        await using var edge = await DeviceEdge.StartAsync((setting, "2"), ("Muster:Downloads:RetryAfter", "00:00:10"));
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var first = await BeginAsync(edge, digest, 1);
        using var second = await BeginAsync(edge, digest, 2);

        for (var i = 0; i < 20; i++)
        {
            using var refused = await BeginAsync(edge, digest, 3);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 10, 20);
            var body = await refused.Content.ReadAsStringAsync(Stop);
            Assert.Contains("\"DOWNLOADS_BUSY\"", body, StringComparison.Ordinal);
            Assert.Contains($"\"of\":\"{of}\"", body, StringComparison.Ordinal);
        }

        first.Dispose();
        await Eventually.TrueAsync(() => edge.Services.GetRequiredService<TransferPlaces>().Count == 1, "the first one's place is free");
        using var third = await BeginAsync(edge, digest, 3);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Get_OfAnotherSite_IsNotHeldUp()
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Downloads:Sites:0:Site", Harbour), ("Muster:Downloads:Sites:0:TransfersMax", "1"));
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        using var first = await BeginAsync(edge, digest, 1);

        using var same = await BeginAsync(edge, digest, 2);
        using var other = await BeginAsync(edge, digest, 3, "airport");
        using var nowhere = await BeginAsync(edge, digest, 4, "");

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.OK],
            [first.StatusCode, same.StatusCode, other.StatusCode, nowhere.StatusCode]);
    }

    [Fact]
    public async Task Get_OfOneDeviceManyTimesAtOnce_LeavesPlacesForOthers()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var digest = edge.Artifacts.Add(new byte[64 * 1024 * 1024]);
        var begun = new List<HttpResponseMessage>();
        for (var i = 0; i < DevicePlaces.TransfersMax; i++)
        {
            begun.Add(await BeginAsync(edge, digest, 1));
        }

        using var refused = await BeginAsync(edge, digest, 1);

        Assert.All(begun, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        begun.ForEach(response => response.Dispose());
    }

    /// <summary>Four devices of a site share its pace; a fifth elsewhere does not wait for them.</summary>
    [Fact]
    public async Task Get_OfASiteWithAPace_SharesIt()
    {
        const int bytes = 500_000;
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Downloads:Sites:0:Site", Harbour), ("Muster:Downloads:Sites:0:BytesPerSecond", "1000000"));
        var digest = edge.Artifacts.Add(new byte[bytes]);
        var watch = Stopwatch.StartNew();

        var site = Enumerable.Range(1, 4).Select(number => ReadAsync(edge, digest, number, Harbour)).ToArray();
        await ReadAsync(edge, digest, 5, "airport");
        Assert.False(Array.TrueForAll(site, download => download.IsCompleted));
        await Task.WhenAll(site);

        // Two megabytes at one a second, less the quarter of a second that may go at once. Slower is the machine's affair.
        Assert.InRange(watch.Elapsed.TotalSeconds, 1.7, 60);
    }

    [Fact]
    public void Take_OverTime_GivesThePaceAndABurstAfterAPause()
    {
        var clock = new ShiftedClock();
        var places = new TransferPlaces.Places(0, 1_000_000, clock);
        var (sent, now, second) = (0, 0L, clock.TimestampFrequency);
        for (var wait = 0L; now < 10 * second; now += Math.Max(wait, 0))
        {
            wait = places.Take(10_000, now);
            sent += 10_000;
        }

        Assert.InRange(sent, 10_000_000, 10_300_000);
        var afterPause = now + (100 * second);
        Assert.True(places.Take(200_000, afterPause) <= 0);
        Assert.True(places.Take(100_000, afterPause) <= 0);
        Assert.True(places.Take(1, afterPause) > 0);
    }

    [Theory]
    [InlineData("Muster:Downloads:BytesPerSecond", "100", "BytesPerSecond")]
    [InlineData("Muster:Downloads:TransfersMax", "0", "TransfersMax")]
    [InlineData("Muster:Downloads:Spread", "01:00:01", "Spread")]
    [InlineData("Muster:Downloads:Spread", "01:00:00", "LinkLifetime")]
    [InlineData("Muster:Downloads:LinkLifetime", "2.00:00:00", "LinkLifetime")]
    [InlineData("Muster:Downloads:Sites:0:TransfersMax", "1", "Site")]
    [InlineData("Muster:Downloads:Sites:0:Tenant", "Not A Tenant", "Site")]
    public async Task Start_WithASettingOutOfRange_StopsWithItsName(string key, string value, string name)
    {
        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => DeviceEdge.StartAsync((key, value)));

        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        foreach (var client in _devices.Values)
        {
            client.Dispose();
        }
    }

    private static string SerialOf(int number) => $"CAM-1000{number:00}";

    /// <summary>Reads the head only: the rest waits in the gateway.</summary>
    private Task<HttpResponseMessage> BeginAsync(DeviceEdge edge, ImageDigest digest, int number, string site = Harbour)
    {
        edge.Grains.Device(SerialOf(number)).Site = site;
        var client = _devices.GetOrAdd(number, _ => DeviceHttp.Create(edge, SerialOf(number)));
        return client.GetAsync(edge.LinkTo(digest, SerialOf(number)), HttpCompletionOption.ResponseHeadersRead, Stop);
    }

    private async Task ReadAsync(DeviceEdge edge, ImageDigest digest, int number, string site)
    {
        using var response = await BeginAsync(edge, digest, number, site);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await response.Content.CopyToAsync(Stream.Null, Stop);
    }
}
