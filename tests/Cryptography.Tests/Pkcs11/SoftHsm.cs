using System.Diagnostics;
using System.Runtime.InteropServices;
using Muster.Cryptography.Pkcs11;

namespace Muster.Cryptography.Tests.Pkcs11;

/// <summary>
/// A SoftHSM with one token in a folder of its own. The library reads where from the process's environment: one at a time.
/// </summary>
internal sealed class SoftHsm : IDisposable
{
    public const string Pin = "24681357";

    public const string Module = "/usr/lib/softhsm/libsofthsm2.so";

    /// <summary>Of all tests here.</summary>
    public const string Collection = "softhsm";

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-softhsm-").FullName;

    public SoftHsm()
    {
        Directory.CreateDirectory(Tokens);
        File.WriteAllText(
            Path.Combine(_folder, "softhsm2.conf"), $"directories.tokendir = {Tokens}\nobjectstore.backend = file\nlog.level = ERROR\n");
        Assert.Equal(0, SetEnvironment("SOFTHSM2_CONF", Path.Combine(_folder, "softhsm2.conf"), 1));
        WritePin(Pin);
        Run("softhsm2-util", "--init-token", "--free", "--label", "fleet", "--pin", Pin, "--so-pin", "13572468");
    }

    public string PinFile => Path.Combine(_folder, "pin");

    private string Tokens => Path.Combine(_folder, "tokens");

    public TokenUri Uri(string path = "token=fleet") => TokenUri.Parse($"pkcs11:{path}?module-path={Module}&pin-source={PinFile}").Uri!;

    public void WritePin(string pin, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        File.WriteAllText(PinFile, pin + "\n");
        File.SetUnixFileMode(PinFile, mode);
    }

    /// <summary>As when the module is unplugged, or its network is cut.</summary>
    public void TakeAway() => Directory.Move(Tokens, Tokens + ".away");

    public void BringBack() => Directory.Move(Tokens + ".away", Tokens);

    /// <summary>OpenSC's tool, logged in to the token; what it said.</summary>
    public string Tool(params string[] arguments) => ToolAs(Pin, arguments);

    public string ToolAs(string pin, params string[] arguments) =>
        Run("pkcs11-tool", ["--module", Module, "--token-label", "fleet", "--login", "--pin", pin, .. arguments]);

    public string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["SOFTHSM2_CONF"] = Path.Combine(_folder, "softhsm2.conf");
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), $"{program} took too long.");
        Task.WaitAll(output, error);
        return process.ExitCode == 0
            ? output.Result + error.Result
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output.Result}{error.Result}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The runtime's own call changes its copy, which native code does not see.</summary>
    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(
        [MarshalAs(UnmanagedType.LPStr)] string name, [MarshalAs(UnmanagedType.LPStr)] string value, int overwrite);
}
