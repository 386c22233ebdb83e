using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Text.Json;
using Muster.Load.Servers;

namespace Muster.Load.Generator;

/// <summary>What a run of connects does.</summary>
internal sealed record ConnectOrder
{
    public required int Port { get; init; }

    public required string ServerCaFile { get; init; }

    public required string IdentityFolder { get; init; }

    public required string[] Devices { get; init; }

    /// <summary>Connects under way at any time.</summary>
    public required int AtOnce { get; init; }

    public required double WarmUpSeconds { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Processes whose CPU time is read at both ends of the measured time.</summary>
    public required int[] ServerProcesses { get; init; }
}

/// <summary>What became of it, in the measured time; errors of the whole run.</summary>
internal sealed record ConnectOutcome(
    long Measured, double Seconds, double GeneratorCpu, double ServerCpu, long Errors, string[] Problems)
{
    public double PerSecond => Measured / Seconds;
}

/// <summary>
/// Connects and leaves, over and over: TCP, a full TLS handshake with a client certificate, CONNECT, CONNACK. Each caller has devices of
/// its own, so that none takes over its own session.
/// </summary>
internal sealed class ConnectRun(ConnectOrder order, TimeProvider clock)
{
    private const int ProblemsMax = 5;

    private readonly StopSign _stop = new();
    private readonly List<string> _problems = [];
    private long _done;
    private long _errors;

    public static async Task<int> RunAsync(TextReader input, TextWriter output, TimeProvider clock)
    {
        var order = JsonSerializer.Deserialize<ConnectOrder>(await input.ReadToEndAsync())!;
        await output.WriteLineAsync(JsonSerializer.Serialize(await new ConnectRun(order, clock).MeasureAsync()));
        return 0;
    }

    private async Task<ConnectOutcome> MeasureAsync()
    {
        var identities = ClientIdentity.ReadAll(order.IdentityFolder, order.Devices, order.ServerCaFile);
        var callers = Enumerable.Range(0, order.AtOnce).Select(first => Task.Run(() => CallAsync(identities, first))).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(order.WarmUpSeconds), clock);
        var before = Take();
        await Task.Delay(TimeSpan.FromSeconds(order.Seconds), clock);
        var after = Take();
        _stop.Set();
        await Task.WhenAll(callers);
        return new ConnectOutcome(
            after.Done - before.Done,
            clock.GetElapsedTime(before.At, after.At).TotalSeconds,
            after.Own - before.Own,
            after.Servers - before.Servers,
            Volatile.Read(ref _errors),
            [.. _problems]);
    }

    private async Task CallAsync(SslClientAuthenticationOptions[] identities, int first)
    {
        var server = new IPEndPoint(IPAddress.Loopback, order.Port);
        for (var i = first; !_stop.IsSet; i = i + order.AtOnce < identities.Length ? i + order.AtOnce : first)
        {
            try
            {
                using var connection = await DeviceConnection.OpenAsync(
                    server, identities[i], Packets.Connect(order.Devices[i]), CancellationToken.None);
                Interlocked.Increment(ref _done);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                Note(exception);
            }
        }
    }

    private void Note(Exception exception)
    {
        Interlocked.Increment(ref _errors);
        lock (_problems)
        {
            if (_problems.Count < ProblemsMax)
            {
                _problems.Add(exception.Message);
            }
        }
    }

    private (long At, long Done, double Own, double Servers) Take()
    {
        using var own = Process.GetCurrentProcess();
        return (
            clock.GetTimestamp(),
            Interlocked.Read(ref _done),
            own.TotalProcessorTime.TotalSeconds,
            order.ServerProcesses.Sum(ServerProcess.CpuSecondsOf));
    }
}
