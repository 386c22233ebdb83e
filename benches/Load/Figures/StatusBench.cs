using Muster.Load.Generator;
using Muster.Load.Servers;
using Muster.Protocol;

namespace Muster.Load.Figures;

/// <summary>How a bench of messages is run.</summary>
internal sealed record StatusPlan(int[] Connections, int InFlight, int Rounds, double Seconds, string SiloAssembly, string BareAssembly)
{
    /// <summary>Visits only the servers of these names; empty for all. To look at one with a profiler.</summary>
    public string[] Only { get; init; } = [];
}

/// <summary>Status messages and durable messages, against the same listener without a grain and against mosquitto.</summary>
internal sealed class StatusBench(StatusPlan plan, RunRecord record, TimeProvider clock)
{
    public async Task RunAsync()
    {
        using var place = Workplace.Create(plan.Connections.Max(), clock.GetUtcNow());
        using var mosquitto = await Mosquitto.StartAsync(place, clock);
        using var bare = await BareGateway.StartAsync(place, plan.BareAssembly, clock);
        using var embedded = await MusterHost.StartAsync(place, plan.SiloAssembly, null, clock);
        using var onRedis = await MusterHost.StartAsync(place, plan.SiloAssembly, await Redis.StartAsync(place, clock), clock);
        var messages = new MessageRounds(new MessagePlan(plan.InFlight, plan.Rounds, plan.Seconds), place, record);
        foreach (var host in new[] { embedded, onRedis })
        {
            await messages.EnrolAsync(host, place.Devices);
        }

        MessageEntry[] status =
        [
            new("grain", embedded, Topics.Status),
            new("bare", bare, Topics.Status),
            new("mosquitto", mosquitto, Topics.Status),
        ];
        MessageEntry[] durable =
        [
            new("redis", onRedis, Topics.Inventory),
            new("embedded", embedded, Topics.Inventory),
            new("mosquitto", mosquitto, Topics.Inventory),
        ];
        (status, durable) = (Chosen(status), Chosen(durable));
        var outcomes = new Dictionary<(string Part, int Connections), List<GeneratorOutcome[]>>();
        foreach (var connections in plan.Connections)
        {
            outcomes[("status", connections)] = await messages.RunAsync("status", status, connections);
            outcomes[("durable", connections)] = await messages.RunAsync("durable", durable, connections);
        }

        var isKept = await messages.IsKeptAsync(onRedis, "durable") & await messages.IsKeptAsync(embedded, "durable");
        foreach (var ((part, connections), rounds) in outcomes)
        {
            string[] names = [.. (part == "status" ? status : durable).Select(entry => entry.Name)];
            messages.Print($"{part}_{connections}", names, rounds, Goals(part, connections), part == "status" || isKept);
        }
    }

    private MessageEntry[] Chosen(MessageEntry[] entries) =>
        plan.Only is [] ? entries : [.. entries.Where(entry => plan.Only.Contains(entry.Name))];

    private static MessageGoal[] Goals(string part, int connections) => part == "durable"
        ? [new("redis", "mosquitto", 0.25), new("embedded", "mosquitto", 0.2)]
        : [new("grain", "bare", 0.85), new("grain", "mosquitto", connections == 100 ? 0.6 : 0.5)];
}
