using Muster.Load.Generator;
using Muster.Load.Servers;
using Muster.Protocol;

namespace Muster.Load.Figures;

/// <summary>
/// Status and durable messages over few and many connections, beside the same listener with nothing behind it: what the grain, the commit
/// and the store take of what a listener could do.
/// </summary>
internal sealed class ReportsPart(AdmissionPlan plan, Workplace place, RunRecord record, TimeProvider clock)
{
    private const double RatioMin = 0.7;

    public async Task RunAsync()
    {
        using var bare = await BareGateway.StartAsync(place, plan.BareAssembly, clock);
        using var plain = await BareGateway.StartAsync(place, plan.BareAssembly, clock, await Redis.StartAsync(place, clock));
        using var embedded = await MusterHost.StartAsync(place, plan.SiloAssembly, null, clock);
        using var onRedis = await MusterHost.StartAsync(place, plan.SiloAssembly, await Redis.StartAsync(place, clock), clock);
        var messages = new MessageRounds(new MessagePlan(1, plan.Rounds, plan.Seconds), place, record);
        foreach (var host in new[] { embedded, onRedis })
        {
            await messages.EnrolAsync(host, place.Devices[..plan.Largest]);
        }

        MessageEntry[] status = [new("grain", embedded, Topics.Status), new("bare", bare, Topics.Status)];
        MessageEntry[] durable =
        [
            new("redis", onRedis, Topics.Inventory),
            new("embedded", embedded, Topics.Inventory),
            new("plain", plain, Topics.Inventory),
            new("bare", bare, Topics.Inventory),
        ];
        var outcomes = new Dictionary<(string Part, int Connections), List<GeneratorOutcome[]>>();
        foreach (var connections in plan.Connections.Order())
        {
            outcomes[("status", connections)] = await messages.RunAsync("status", status, connections);
            outcomes[("durable", connections)] = await messages.RunAsync("durable", durable, connections);
        }

        var isKept = await messages.IsKeptAsync(onRedis, "reports_durable") & await messages.IsKeptAsync(embedded, "reports_durable");
        foreach (var ((part, connections), rounds) in outcomes)
        {
            string[] names = [.. (part == "status" ? status : durable).Select(entry => entry.Name)];
            messages.Print($"reports_{part}_{connections}", names, rounds, Goals(connections), part == "status" || isKept);
        }
    }

    /// <summary>The largest has goals; the others are the curve.</summary>
    private MessageGoal[] Goals(int connections)
    {
        double? min = connections == plan.Largest ? RatioMin : null;
        return
        [
            new("grain", "bare", min), new("redis", "bare", min), new("embedded", "bare", min),
            new("plain", "bare", null), new("redis", "plain", null), new("embedded", "plain", null),
        ];
    }
}
