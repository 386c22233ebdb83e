using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Devices;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>
/// Documents as the last version before install windows wrote them, letter for letter and byte for byte: devices that know nothing of
/// these go on reading what they read.
/// </summary>
public sealed class DownMessageWriterTests
{
    private const string Settings = """{ "generation": "5", "settings": [ { "name": "a", "value": "b" } ] }""";

    private const string Nothing = """{ "generation": "6" }""";

    private static readonly string s_image =
        """{ "generation": "3", "os": { "digest": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ve"""
        + """rsion": "12.12.1", "sizeBytes": "4711", "signature": "AQI=", "path": "/v1/images/aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"""
        + """aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?tenant=default&device=CAM-000001&expires=1780347600&key=1&signature=C6ZzFC"""
        + """Pb6tr8YZZ3cgo44CeCr9hDTt-QyCFt8l1UJB8", "delaySeconds": 17 } }""";

    private static readonly string s_imageBytes =
        "08031292020A406161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
        + "6161616161616161616161120731322E31322E3118E724220201022ABB012F76312F696D616765732F61616161616161616161616161616161616161"
        + "6161616161616161616161616161616161616161616161616161616161616161616161616161616161616161613F74656E616E743D64656661756C74"
        + "266465766963653D43414D2D30303030303126657870697265733D31373830333437363030266B65793D31267369676E61747572653D43365A7A4643"
        + "506236747238595A5A3363676F34344365437239684454742D5179434674386C31554A42383011";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_WithoutInstallTimes_IsAsItWasBeforeThereWereAny()
    {
        var settings = new DesiredState(5, null, "hardening") { Settings = [new DeviceSetting("a", "b")] };

        Assert.Equal((s_image, s_imageBytes), await WriteAsync(Samples.Desired(3)));
        Assert.Equal((Settings, "0805B204060A0161120162"), await WriteAsync(new DesiredMessage(settings)));
        Assert.Equal((Nothing, "0806"), await WriteAsync(new DesiredMessage(new DesiredState(6, null, null))));
    }

    /// <summary>They come behind all that there was.</summary>
    [Fact]
    public async Task Write_OfAnImageWithInstallTimes_OnlyAddsThem()
    {
        var opens = new DateTimeOffset(2026, 6, 1, 22, 0, 0, TimeSpan.Zero);

        var (text, bytes) = await WriteAsync(Samples.Desired(3) with { InstallTimes = [new(opens, opens.AddHours(4))] });

        Assert.StartsWith(s_image[..^2], text, StringComparison.Ordinal);
        Assert.Contains("\"installTimes\": { \"intervals\": [ { \"opensAt\": \"2026-06-01T22:00:00Z\"", text, StringComparison.Ordinal);
        Assert.StartsWith(s_imageBytes, bytes, StringComparison.Ordinal);
    }

    /// <summary>In both forms, the bytes in hexadecimal; of a link the key and the hour are given.</summary>
    private static async Task<(string Text, string Bytes)> WriteAsync(DesiredMessage message)
    {
        var (factory, grains) = FakeGrains.Create();
        grains.LinkKeys.Keys = LinkKeys.None.Roll([.. Enumerable.Repeat((byte)7, LinkKey.SecretBytes)], default).Next;
        var options = Options.Create(new DownloadOptions { LinkLifetime = TimeSpan.FromHours(1), Spread = TimeSpan.FromSeconds(30) });
        using var links = new ImageLinks(factory, options, new StoppedClock(), NullLogger<ImageLinks>.Instance);
        await links.StartAsync(Stop);
        var writer = new DownMessageWriter(links, options);
        Assert.True(DeviceId.TryParse(Samples.Serial, out var device));
        var address = new DeviceAddress(TenantId.Default, device);
        var written = (
            Encoding.UTF8.GetString(writer.Write(message, address, PayloadForm.Json)),
            Convert.ToHexString(writer.Write(message, address, PayloadForm.Binary)));
        await links.StopAsync(Stop);
        return written;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 6, 1, 20, 0, 0, TimeSpan.Zero);
    }
}
