using System.Diagnostics;
using System.Text.Json;
using Muster.Load.Generator;

namespace Muster.Load.Servers;

/// <summary>A generator whose devices stay connected until it is disposed of.</summary>
internal sealed class HeldFleet : IDisposable
{
    private readonly Process _process;
    private readonly int _devices;

    private HeldFleet(Process process, int devices) => (_process, _devices) = (process, devices);

    public static async Task<HeldFleet> StartAsync(FleetOrder order)
    {
        var process = GeneratorProcess.Start("fleet");
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order));
        return new HeldFleet(process, order.Devices.Length);
    }

    /// <summary>All devices, some handshakes at a time; throws when one of them cannot.</summary>
    public async Task<FleetOutcome> ConnectAsync()
    {
        var outcome = await TellAsync("connect");
        return outcome.Connected == _devices
            ? outcome
            : throw new InvalidOperationException(
                $"{outcome.Connected} of {_devices} devices are connected: {string.Join("; ", outcome.Problems)}");
    }

    /// <summary>All connections go and come again at once.</summary>
    public Task<FleetOutcome> StormAsync() => TellAsync("storm");

    /// <summary>All connections go, and come again some at a time.</summary>
    public Task<FleetOutcome> ReconnectAsync() => TellAsync("reconnect");

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private async Task<FleetOutcome> TellAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await _process.StandardOutput.ReadLineAsync() is { } line
            ? JsonSerializer.Deserialize<FleetOutcome>(line)!
            : throw new InvalidOperationException($"The generator ended at '{command}'.");
    }
}
