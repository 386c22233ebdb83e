using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Muster.Load.Servers;

/// <summary>A process that the bench started: its output in a file, ended with kill -9.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly string _log;
    private bool _isGone;

    private ServerProcess(Process process, string log)
    {
        _process = process;
        _log = log;
    }

    public int Id => _process.Id;

    public static ServerProcess Start(string log, IReadOnlyDictionary<string, string> environment, params string[] command)
    {
        // The shell keeps the output in a file, with nobody who has to read it, and then becomes the program.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in (string[])["-c", "exec \"$@\" >\"$0\" 2>&1", log, .. command])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ServerProcess(Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start."), log);
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task RunAsync(string log, params string[] command)
    {
        using var run = Start(log, new Dictionary<string, string>(), command);
        await run._process.WaitForExitAsync();
        if (run._process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{command[0]} failed:\n{await File.ReadAllTextAsync(log)}");
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async Task ListeningAsync(int port, TimeProvider clock)
    {
        for (var started = clock.GetTimestamp(); ;)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (!_process.HasExited && clock.GetElapsedTime(started) < StartTimeout)
            {
                await Task.Delay(Poll, clock);
            }
            catch (SocketException refused)
            {
                throw new InvalidOperationException($"Nothing listens on {port}:\n{await File.ReadAllTextAsync(_log)}", refused);
            }
        }
    }

    /// <summary>What a process has used of all processors.</summary>
    public static double CpuSecondsOf(int process)
    {
        using var server = Process.GetProcessById(process);
        return server.TotalProcessorTime.TotalSeconds;
    }

    public void Dispose()
    {
        if (_isGone)
        {
            return;
        }

        _isGone = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
