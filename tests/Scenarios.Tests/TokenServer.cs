using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Muster.Scenarios.Tests;

/// <summary>
/// p11-kit's server with SoftHSM behind it, and its client as the library that the silo loads: a token that is somewhere else, as one in a
/// network, and stands still or dies when its processes do.
/// </summary>
internal sealed class TokenServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private TokenServer(Process process) => _process = process;

    /// <summary>The library that speaks to it (package p11-kit-modules).</summary>
    public static string Client { get; } = $"/usr/lib/{Triplet}-linux-gnu/pkcs11/p11-kit-client.so";

    private static string Triplet => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64";

    /// <summary>Where the client finds it, by the environment variable that it reads.</summary>
    public static (string Name, string Value) AddressIn(string folder) =>
        ("P11_KIT_SERVER_ADDRESS", $"unix:path={SocketIn(folder)}");

    public static async Task<TokenServer> StartAsync(string folder, string softHsmConfiguration)
    {
        // One that was killed leaves it behind.
        var socket = SocketIn(folder);
        File.Delete(socket);

        // In a session of its own: a signal reaches the server and the process that it has for each client.
        var start = new ProcessStartInfo(
            "setsid",
            ["p11-kit", "server", "--foreground", "--name", socket, "--provider", HardwareModuleSite.SoftHsm, "pkcs11:token=fleet"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["SOFTHSM2_CONF"] = softHsmConfiguration;
        var server = new TokenServer(Process.Start(start) ?? throw new InvalidOperationException("p11-kit did not start."));
        for (var waited = Stopwatch.StartNew(); !File.Exists(socket);)
        {
            Assert.True(!server._process.HasExited && waited.Elapsed < Patience, "p11-kit does not serve the token.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }

        return server;
    }

    /// <summary>Takes calls and answers none.</summary>
    public void Hang() => Signal("STOP");

    /// <summary>Answers what was asked meanwhile.</summary>
    public void GoOn() => Signal("CONT");

    /// <summary>kill -9, also while it hangs.</summary>
    public void Kill()
    {
        Signal("KILL");
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", "--", $"-{_process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private static string SocketIn(string folder) => Path.Combine(folder, "p11-kit.socket");
}
