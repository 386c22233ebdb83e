using System.Diagnostics;

namespace Muster.Cryptography.Tests;

/// <summary>Runs openssl in a folder of its own: inputs that none of our code has made.</summary>
internal sealed class OpenSsl : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-openssl-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public byte[] Read(string name) => File.ReadAllBytes(PathOf(name));

    public string ReadText(string name) => File.ReadAllText(PathOf(name));

    public void Write(string name, byte[] content) => File.WriteAllBytes(PathOf(name), content);

    public void Write(string name, string content) => File.WriteAllText(PathOf(name), content);

    /// <summary>Runs one command line of openssl, split at spaces; file names are relative to the folder.</summary>
    public void Run(string arguments) => Run("openssl", arguments);

    /// <summary>The same of another program.</summary>
    public void Run(string program, string arguments)
    {
        var start = new ProcessStartInfo(program, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Timeout))
        {
            process.Kill();
            throw new TimeoutException($"{program} {arguments} took too long.");
        }

        Task.WaitAll(output, error);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {arguments}: {error.Result}");
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
