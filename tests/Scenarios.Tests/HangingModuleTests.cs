using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A token that takes calls and does not answer, or dies under them: devices are told in time, everything else goes on, and when the token
/// is back it signs for the process that ran all the while.
/// </summary>
public sealed class HangingModuleTests : IAsyncLifetime
{
    private const string Before = "B8A44F00E701";
    private const string Late = "B8A44F00E702";
    private const string Meanwhile = "B8A44F00E703";

    /// <summary>Two more than a module has threads: they wait for those that hang.</summary>
    private static readonly string[] Caught = [.. Enumerable.Range(10, 6).Select(number => $"B8A44F00E7{number}")];

    /// <summary>A signature is waited for five seconds; the rest is for a machine that does other things as well.</summary>
    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(9);

    /// <summary>Less than anybody would wait for a signature.</summary>
    private static readonly TimeSpan ToldAtOnce = TimeSpan.FromSeconds(4);

    /// <summary>A host that is told to end has thirty seconds, and its token five.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(40);

    private readonly HardwareModuleSite _site = new(TokenServer.Client);
    private TokenServer _token = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _site.CreateTokenAsync();
        var (name, address) = TokenServer.AddressIn(_site.Folder);
        _site.Muster.Settings[name] = address;
        _token = await TokenServer.StartAsync(_site.Folder, _site.Configuration);
        await _site.Muster.StartAsync(Stop);
    }

    [Fact]
    public async Task FleetCa_WithATokenThatHangs_TellsDevicesInTimeAndSignsWhenItAnswersAgain()
    {
        string[] lines = HardwareModuleSite.Guide;
        await ExpectAsync([Before, Late, .. Caught]);
        Assert.Contains("device.pem: OK", await _site.RunAsync(Before, $"{lines[1]}{lines[2]}"), StringComparison.Ordinal);
        Assert.Contains("device.pem: good", await _site.RunAsync(Before, lines[5]), StringComparison.Ordinal);

        _token.Hang();
        var told = await Task.WhenAll(Caught.Select(serial => _site.EnrollAsync(serial)));
        Assert.All(told, one => Assert.Equal(("503", true), (one.Status, one.Took < ToldWithin)));
        foreach (var serial in Caught)
        {
            var refused = await _site.AnswerAsync(serial);
            Assert.Contains("FLEET_CA_KEY_UNREACHABLE", refused, StringComparison.Ordinal);
            Assert.Contains("Retry-After", refused, StringComparison.OrdinalIgnoreCase);
        }

        // Every thread is in the module: nobody waits in vain any more.
        var late = await _site.EnrollAsync(Late);
        Assert.Equal(("503", true), (late.Status, late.Took < ToldAtOnce));

        // Another device comes, enrols and speaks; what was signed is given again; lists and OCSP are answered.
        await ExpectAsync(Meanwhile);
        Assert.Equal("200", (await _site.EnrollAsync(Before, "$OWN/request", "$OWN/again")).Status);
        Assert.Contains("device.pem: good", await _site.RunAsync(Before, lines[5]), StringComparison.Ordinal);

        _token.GoOn();
        await AssertSignsAsync([Late, Meanwhile, .. Caught]);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"While it hung, told after {string.Join(", ", told.Select(one => $"{one.Took.TotalSeconds:0.0}"))} s, then after "
            + $"{late.Took.TotalSeconds:0.0} s.");
    }

    [Fact]
    public async Task FleetCa_WithATokenThatDiesUnderItsCalls_SignsWhenAnotherProcessHasIt()
    {
        await ExpectAsync(Caught);
        _token.Hang();
        var asking = Task.WhenAll(Caught.Select(serial => _site.EnrollAsync(serial)));
        var first = await Task.WhenAny(asking, Task.Delay(TimeSpan.FromSeconds(1), Stop));
        Assert.NotSame(asking, first);

        _token.Kill();
        Assert.All(await asking, one => Assert.Equal(("503", true), (one.Status, one.Took < ToldWithin)));
        Assert.Equal("503", (await _site.EnrollAsync(Caught[0])).Status);

        _token.Dispose();
        _token = await TokenServer.StartAsync(_site.Folder, _site.Configuration);
        await AssertSignsAsync(Caught);
    }

    [Fact]
    public async Task Host_WithATokenThatHangs_EndsWhenItIsToldToAndStartsOnlyWhenItAnswers()
    {
        await ExpectAsync(Caught);
        _token.Hang();
        var asking = Task.WhenAll(Caught.Select(serial => _site.EnrollAsync(serial)));
        Assert.All(await asking, one => Assert.Equal("503", one.Status));

        var ending = Stopwatch.StartNew();
        Assert.Equal(0, await _site.Muster.EndAsync(EndsWithin, Stop));
        var ended = ending.Elapsed;
        var said = await _site.StartInVainAsync();

        Assert.Contains("fleet-ca-1: the hardware module has not answered for 20 s", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"With {Caught.Length} signatures that hang it ended in {ended.TotalSeconds:0.0} s.");

        _token.GoOn();
        await _site.Muster.StartAsync(Stop);
        await AssertSignsAsync(Caught);
    }

    public async ValueTask DisposeAsync()
    {
        // The silo first: its library waits for the token's processes.
        await _site.DisposeAsync();
        _token?.Dispose();
    }

    private async Task ExpectAsync(params string[] serials)
    {
        foreach (var serial in serials)
        {
            await _site.ExpectAsync(serial);
            await _site.RequestAsync(serial);
        }
    }

    /// <summary>Each device comes again, as it was told to, and has a certificate that the fleet CA signed.</summary>
    private async Task AssertSignsAsync(params string[] serials)
    {
        foreach (var serial in serials)
        {
            await HardwareModuleSite.UntilAsync(async () => (await _site.EnrollAsync(serial)).Status == "200");
            await _site.RunAsync(serial, $"""
                {HardwareModuleSite.Guide[1]}
                openssl base64 -d -in $MAKER/answer | openssl pkcs7 -inform DER -print_certs -out $MAKER/own.pem
                openssl verify -x509_strict -purpose sslclient -CAfile $OWN/fleet-ca.pem $MAKER/own.pem
                """);
        }
    }
}
