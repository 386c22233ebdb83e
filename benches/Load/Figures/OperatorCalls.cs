using System.Diagnostics;
using Grpc.Core;
using Muster.Load.Servers;
using Muster.Protocol.V1;

namespace Muster.Load.Figures;

/// <summary>How long calls took.</summary>
/// <param name="Milliseconds">One list of times for each of <see cref="Kinds"/>.</param>
/// <param name="Failed">Calls without an answer.</param>
internal sealed record CallTimes(IReadOnlyList<IReadOnlyList<double>> Milliseconds, int Failed)
{
    /// <summary>What is called by turns.</summary>
    public static readonly string[] Kinds = ["a device", "a page", "a count"];

    /// <summary>When calls began that took the longest, in seconds from the first, and how long each took.</summary>
    public IReadOnlyList<(double Began, double Milliseconds)> Longest { get; init; } = [];

    public int Count => Milliseconds.Sum(kind => kind.Count);

    /// <summary>The time that this share of them did not exceed.</summary>
    public double At(double share) => At(share, [.. Milliseconds.SelectMany(kind => kind)]);

    /// <summary>The time that this share of the calls of one kind did not exceed.</summary>
    public double At(double share, int kind) => At(share, Milliseconds[kind]);

    private static double At(double share, IReadOnlyCollection<double> times) =>
        times.Count == 0 ? 0 : times.Order().ElementAt((int)Math.Ceiling(share * times.Count) - 1);
}

/// <summary>
/// Operators who go on working: calls at a fixed pace, by turns to each gateway, whether or not those before are answered, so that a slow
/// answer does not hide those behind it.
/// </summary>
internal sealed class OperatorCalls(IReadOnlyList<OperatorsApi> gateways, string[] devices, TimeProvider clock)
{
    /// <summary>What some ten people at their pages ask for.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    /// <summary>Longer is a failure.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private const int PageSize = 50;
    private const int LongestShown = 5;

    private readonly List<double>[] _milliseconds = [.. CallTimes.Kinds.Select(_ => new List<double>())];
    private readonly List<(double Began, double Milliseconds)> _all = [];
    private int _failed;
    private long _first;

    /// <summary>Calls until told to stop.</summary>
    public async Task<CallTimes> RunAsync(CancellationToken stop)
    {
        var channels = gateways.Select(gateway => gateway.Connect()).ToArray();
        var calls = new List<Task>();
        var clients = channels.Select(channel => new Devices.DevicesClient(channel)).ToArray();
        using var timer = new PeriodicTimer(Pace, clock);
        try
        {
            _first = Stopwatch.GetTimestamp();
            for (var i = 0; await timer.WaitForNextTickAsync(stop); i++)
            {
                calls.Add(CallAsync(clients[i % clients.Length], i));
            }
        }
        catch (OperationCanceledException)
        {
            // What is under way is still waited for.
        }

        await Task.WhenAll(calls);
        foreach (var channel in channels)
        {
            channel.Dispose();
        }

        return new CallTimes(_milliseconds, _failed)
        {
            Longest = [.. _all.OrderByDescending(call => call.Milliseconds).Take(LongestShown)],
        };
    }

    private async Task CallAsync(Devices.DevicesClient client, int turn)
    {
        var began = Stopwatch.GetTimestamp();
        var isAnswered = true;
        try
        {
            await AskAsync(client, turn);
        }
        catch (RpcException)
        {
            isAnswered = false;
        }

        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        lock (_milliseconds)
        {
            _milliseconds[turn % CallTimes.Kinds.Length].Add(took);
            _all.Add((Stopwatch.GetElapsedTime(_first, began).TotalSeconds, took));
            _failed += isAnswered ? 0 : 1;
        }
    }

    /// <summary>A device, a page of a list and a count, by turns.</summary>
    private async Task AskAsync(Devices.DevicesClient client, int turn)
    {
        var deadline = clock.GetUtcNow().UtcDateTime + Deadline;
        switch (turn % CallTimes.Kinds.Length)
        {
            case 0:
                var device = devices[turn % devices.Length];
                await client.GetDeviceAsync(new GetDeviceRequest { Name = $"tenants/default/devices/{device}" }, deadline: deadline);
                break;
            case 1:
                await client.ListDevicesAsync(
                    new ListDevicesRequest { Parent = "tenants/default", PageSize = PageSize }, deadline: deadline);
                break;
            default:
                await client.CountDevicesAsync(new CountDevicesRequest { Parent = "tenants/default" }, deadline: deadline);
                break;
        }
    }
}
