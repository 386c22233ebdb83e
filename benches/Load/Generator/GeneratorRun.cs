using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Muster.Load.Servers;

namespace Muster.Load.Generator;

/// <summary>What one run of the generator does; its arguments, as JSON, are all that the process is given.</summary>
internal sealed record GeneratorOrder
{
    public required int Port { get; init; }

    public required string ServerCaFile { get; init; }

    /// <summary>Holds SERIAL.pem and SERIAL.key.</summary>
    public required string IdentityFolder { get; init; }

    public required string[] Devices { get; init; }

    /// <summary>hello, status or inventory.</summary>
    public required string Kind { get; init; }

    public required string BootId { get; init; }

    public required int InFlight { get; init; }

    public required double WarmUpSeconds { get; init; }

    /// <summary>0: one message of each device, not measured.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processes whose CPU time is read at both ends of the measured time.</summary>
    public required int[] ServerProcesses { get; init; }
}

/// <summary>What became of a run. CPU, seconds and <see cref="Measured"/> belong to the measured time, the rest to the whole run.</summary>
internal sealed record GeneratorOutcome(
    long Sent, long Acknowledged, long Measured, double Seconds, double GeneratorCpu, double ServerCpu, long Errors, string[] Problems)
{
    public double PerSecond => Measured / Seconds;
}

/// <summary>The generator's process: connects, sends, counts, and prints one line of JSON.</summary>
internal static class GeneratorRun
{
    public const int HandshakesAtOnce = 32;

    private const int ProblemsMax = 5;
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    /// <summary>Connects are not what is measured here; one that is refused for longer is an error of the bench.</summary>
    private static readonly TimeSpan AdmissionPatience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan AdmissionPause = TimeSpan.FromSeconds(1);

    /// <summary>After the stop, everything in flight is answered within milliseconds; a store that hangs is an error.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(15);

    public static async Task<int> RunAsync(TextReader input, TextWriter output, TimeProvider clock)
    {
        var order = JsonSerializer.Deserialize<GeneratorOrder>(await input.ReadToEndAsync())!;
        using var stop = new CancellationTokenSource();
        var links = await ConnectAsync(order, clock, stop.Token);
        var outcome = await MeasureAsync(order, links, clock, stop);
        foreach (var link in links)
        {
            link.Dispose();
        }

        await output.WriteLineAsync(JsonSerializer.Serialize(outcome));
        return 0;
    }

    /// <summary>
    /// Microseconds since 1970: above every sequence of an earlier run, because no device sends one message per microsecond.
    /// </summary>
    public static long FirstSequence(TimeProvider clock) =>
        clock.GetUtcNow().Subtract(DateTimeOffset.UnixEpoch).Ticks / TicksPerMicrosecond;

    private static async Task<List<DeviceLink>> ConnectAsync(GeneratorOrder order, TimeProvider clock, CancellationToken cancellationToken)
    {
        var trust = ClientIdentity.Trust(order.ServerCaFile);
        var sequence = FirstSequence(clock);
        var server = new IPEndPoint(IPAddress.Loopback, order.Port);
        var links = new List<DeviceLink>();
        await Parallel.ForEachAsync(
            order.Devices,
            new ParallelOptions { MaxDegreeOfParallelism = HandshakesAtOnce, CancellationToken = cancellationToken },
            async (device, cancel) =>
            {
                var identity = ClientIdentity.Read(order.IdentityFolder, device, trust);
                var link = await AdmittedAsync(
                    () => new DeviceLink(device, UpTemplate.Of(device, order.Kind, order.BootId), sequence, order.InFlight),
                    candidate => candidate.ConnectAsync(server, identity, cancel),
                    clock);
                lock (links)
                {
                    links.Add(link);
                }
            });
        return links;
    }

    /// <summary>A server that has just started, or is busy, says that it is not possible now: a device comes again.</summary>
    private static async Task<DeviceLink> AdmittedAsync(Func<DeviceLink> create, Func<DeviceLink, Task> connect, TimeProvider clock)
    {
        for (var began = clock.GetTimestamp(); ;)
        {
            var link = create();
            try
            {
                await connect(link);
                return link;
            }
            catch (IOException) when (clock.GetElapsedTime(began) < AdmissionPatience)
            {
                link.Dispose();
            }

            await Task.Delay(AdmissionPause, clock);
        }
    }

    private static async Task<GeneratorOutcome> MeasureAsync(
        GeneratorOrder order, List<DeviceLink> links, TimeProvider clock, CancellationTokenSource cancellation)
    {
        var sign = new StopSign();
        var isMeasured = order.Seconds > 0;
        var runs = links.Select(link => Task.Run(() => link.RunAsync(sign, isMeasured ? long.MaxValue : 1, cancellation.Token))).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(order.WarmUpSeconds), clock);
        var before = Sample.Take(links, order.ServerProcesses, clock);
        await Task.Delay(TimeSpan.FromSeconds(order.Seconds), clock);
        var after = Sample.Take(links, order.ServerProcesses, clock);
        sign.Set();
        cancellation.CancelAfter(DrainTimeout);
        await Task.WhenAll(runs);
        var problems = links.Select(ProblemOf).OfType<string>().ToList();
        return new GeneratorOutcome(
            links.Sum(link => link.Sent),
            links.Sum(link => link.Acknowledged),
            after.Acknowledged - before.Acknowledged,
            clock.GetElapsedTime(before.At, after.At).TotalSeconds,
            after.GeneratorCpu - before.GeneratorCpu,
            after.ServerCpu - before.ServerCpu,
            links.Sum(link => link.Refused) + links.Sum(link => link.Fault is null ? 0 : 1),
            [.. problems.Take(ProblemsMax)]);
    }

    private static string? ProblemOf(DeviceLink link) => link switch
    {
        { Fault: { } fault } => fault,
        { Refused: > 0 } => $"{link.Refused} refused, the last with {link.RefusedWith:X2}",
        _ => null,
    };

    private readonly record struct Sample(long At, long Acknowledged, double GeneratorCpu, double ServerCpu)
    {
        public static Sample Take(List<DeviceLink> links, int[] servers, TimeProvider clock)
        {
            using var own = Process.GetCurrentProcess();
            return new Sample(
                clock.GetTimestamp(),
                links.Sum(link => link.Acknowledged),
                own.TotalProcessorTime.TotalSeconds,
                servers.Sum(ServerProcess.CpuSecondsOf));
        }
    }
}
