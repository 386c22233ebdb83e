namespace Muster.Scenarios.Tests;

/// <summary>
/// The key of the fleet CA in a token of SoftHSM: the product in a process of its own, with Debian's curl, openssl and mosquitto_pub as the
/// device and the relying party, by the lines of the guide on EST.
/// </summary>
public sealed class HardwareModuleTests : IAsyncLifetime
{
    private const string First = "B8A44F00E601";
    private const string Second = "B8A44F00E602";

    private static readonly string[] Guide = HardwareModuleSite.Guide;

    private readonly HardwareModuleSite _site = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _site.CreateTokenAsync();

    [Fact]
    public async Task FleetCa_WithItsKeyInAToken_SignsIsGoneComesBackAndIsFollowed()
    {
        await _site.Muster.StartAsync(Stop);
        foreach (var serial in new[] { First, Second })
        {
            await _site.ExpectAsync(serial);
        }

        Assert.Contains("device.pem: OK", await _site.RunAsync(First, $"{Guide[1]}{Guide[2]}"), StringComparison.Ordinal);
        var state = await _site.RunAsync(First, Guide[5]);
        Assert.Contains("device.pem: OK", state, StringComparison.Ordinal);
        Assert.Contains("device.pem: good", state, StringComparison.Ordinal);
        Assert.Equal(
            "fleet-ca-1.pem fleet-ca-1.pkcs11 fleet-ca-1.serials\n", await _site.RunAsync(First, "cd data/pki; echo fleet-ca-1.*"));
        var key = await _site.RunAsync(First, $"""
            pkcs11-tool --module {HardwareModuleSite.SoftHsm} --token-label fleet --login --pin {HardwareModuleSite.Pin} \
              --list-objects --type privkey
            """);
        Assert.Contains("never extractable", key, StringComparison.Ordinal);

        // The token is taken away. What was signed is given again, byte for byte; nothing new is signed, and lists and OCSP go on.
        await _site.RunAsync(First, "mv tokens away");
        Assert.Equal("200", (await _site.EnrollAsync(First, "$OWN/request", "$OWN/again")).Status);
        await _site.RunAsync(First, """
            openssl base64 -d -in $OWN/again | openssl pkcs7 -inform DER -print_certs -out $OWN/again.pem
            cmp $OWN/device.pem $OWN/again.pem
            """);
        await _site.RequestAsync(Second);
        Assert.Equal("503", (await _site.EnrollAsync(Second)).Status);
        var refused = await _site.AnswerAsync(Second);
        Assert.Contains("FLEET_CA_KEY_UNREACHABLE", refused, StringComparison.Ordinal);
        Assert.Contains("Retry-After", refused, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("device.pem: good", await _site.RunAsync(First, Guide[5]), StringComparison.Ordinal);

        // Back, without a restart.
        await _site.RunAsync(First, "mv away tokens");
        await HardwareModuleSite.UntilAsync(async () => (await _site.EnrollAsync(Second)).Status == "200");

        // The next CA, with a key of its own in the same token. The first one's certificates stay good.
        var signsFrom = await RollAsync();
        await _site.RunAsync(First, Guide[1]);
        await _site.RunAsync(First, Guide[3]);

        // Before that the renewal would be refused as one that comes too early.
        await HardwareModuleSite.UntilAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow() > signsFrom));
        Assert.Contains(
            "fleet CA 2",
            await _site.RunAsync(First, $"{Guide[4]}openssl x509 -in $OWN/next.pem -noout -issuer"),
            StringComparison.Ordinal);
        var both = await _site.RunAsync(First, """
            openssl verify -x509_strict -purpose sslclient -CAfile $OWN/fleet-ca.pem $OWN/device.pem $OWN/next.pem
            """);
        Assert.Contains("device.pem: OK", both, StringComparison.Ordinal);
        Assert.Contains("next.pem: OK", both, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithAKeyThatCannotBeUsed_EndsWithASentence()
    {
        await _site.Muster.StartAsync(Stop);
        _site.Muster.Kill();

        await _site.RunAsync(First, "echo 97531864 > pin");
        var wrongPin = await _site.StartInVainAsync();
        await _site.RunAsync(First, $"""
            echo {HardwareModuleSite.Pin} > pin
            sed -i 's/object=[^;?]*/object=gone/; s/;*id=[^;?]*//' data/pki/fleet-ca-1.pkcs11
            """);
        var missing = await _site.StartInVainAsync();
        await _site.RunAsync(First, "mv tokens away");
        var away = await _site.StartInVainAsync();

        Assert.Contains("is not the one of token 'fleet'", wrongPin, StringComparison.Ordinal);
        Assert.Contains("has no private key 'gone'", missing, StringComparison.Ordinal);
        Assert.Contains("does not start", away, StringComparison.Ordinal);
        Assert.All(new[] { wrongPin, missing, away }, said =>
        {
            Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
            Assert.DoesNotContain(HardwareModuleSite.Pin, said, StringComparison.Ordinal);
            Assert.DoesNotContain("97531864", said, StringComparison.Ordinal);
        });
    }

    public async ValueTask DisposeAsync() => await _site.DisposeAsync();

    /// <summary>Makes the second CA, which signs from the time that is returned, and starts anew.</summary>
    private async Task<DateTimeOffset> RollAsync()
    {
        var signsFrom = TimeProvider.System.GetUtcNow().AddSeconds(10);
        var said = await _site.RunAsync(
            First,
            $"dotnet {Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")} pki-roll data/pki "
            + $"{signsFrom:O} '{_site.Uri}'");
        Assert.Contains("'muster-fleet-ca-2'", said, StringComparison.Ordinal);
        _site.Muster.Kill();
        await _site.Muster.StartAsync(Stop);
        return signsFrom;
    }
}
