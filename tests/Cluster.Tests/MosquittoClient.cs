using System.Diagnostics;
using System.Text;

namespace Muster.Cluster.Tests;

/// <summary>One of mosquitto's clients and what it said.</summary>
internal sealed class MosquittoClient : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();

    public MosquittoClient(string folder, string[] arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo("stdbuf", arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>True with all that it said.</summary>
    public bool HasExited
    {
        get
        {
            if (!_process.WaitForExit(0))
            {
                return false;
            }

            _process.WaitForExit();
            return true;
        }
    }

    public int ExitCode => _process.ExitCode;

    public string Output
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Add(string? line)
    {
        lock (_said)
        {
            _said.AppendLine(line);
        }
    }
}
