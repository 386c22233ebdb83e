using System.CommandLine;
using Muster.Load.Figures;
using Muster.Load.Generator;

var results = new Option<string>("--results") { Required = true, Description = "The folder for the run's file." };
var silo = new Option<string>("--silo") { Required = true, Description = "Muster.Silo.dll" };
var bare = new Option<string>("--bare") { Required = true, Description = "Muster.BareGateway.dll" };
var connections = new Option<int[]>("--connections")
{
    DefaultValueFactory = _ => [100, 1000], AllowMultipleArgumentsPerToken = true, Description = "Devices connected at once.",
};
var inFlight = new Option<int>("--in-flight") { DefaultValueFactory = _ => 1, Description = "Unacknowledged messages of one connection." };
var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 9, Description = "Visits of each server." };
var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 1.5, Description = "Measured time of one visit." };

var only = new Option<string[]>("--only")
{
    DefaultValueFactory = _ => [],
    AllowMultipleArgumentsPerToken = true,
    Description = "Servers to visit: grain bare mosquitto redis embedded.",
};

var generate = new Command("generate", "One run of the generator; its order is JSON on stdin.");
generate.SetAction((_, _) => GeneratorRun.RunAsync(Console.In, Console.Out, TimeProvider.System));
var connect = new Command("connect", "One run of connects; its order is JSON on stdin.");
connect.SetAction((_, _) => ConnectRun.RunAsync(Console.In, Console.Out, TimeProvider.System));
var fleet = new Command("fleet", "Devices that stay connected; order and commands are lines on stdin.");
fleet.SetAction((_, _) => FleetRun.RunAsync(Console.In, Console.Out, TimeProvider.System));

var status = new Command("status", "Status and durable messages beside a bare listener and mosquitto.")
{
    results, silo, bare, connections, inFlight, rounds, seconds, only,
};
status.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("status", Console.Out, TimeProvider.System);
    var plan = new StatusPlan(
        parsed.GetRequiredValue(connections),
        parsed.GetValue(inFlight),
        parsed.GetValue(rounds),
        parsed.GetValue(seconds),
        parsed.GetRequiredValue(silo),
        parsed.GetRequiredValue(bare))
    {
        Only = parsed.GetRequiredValue(only),
    };
    await new StatusBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});

var simulator = new Option<string>("--simulator") { Required = true, Description = "Muster.Simulator.dll" };
var devices = new Option<int>("--devices") { DefaultValueFactory = _ => 200, Description = "Size of the fleet." };
var demo = new Command("demo", "How long the demo takes.") { results, silo, simulator, devices };
demo.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("demo", Console.Out, TimeProvider.System);
    var plan = new DemoPlan(parsed.GetValue(devices), parsed.GetRequiredValue(silo), parsed.GetRequiredValue(simulator));
    await new DemoBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var load = new Option<string>("--load") { Required = true, Description = "Muster.InventoryLoad.dll" };
var sizes = new Option<int[]>("--devices")
{
    DefaultValueFactory = _ => [10_000, 100_000],
    AllowMultipleArgumentsPerToken = true,
    Description = "Sizes of the fleet, smallest first.",
};
var inventory = new Command("inventory", "Memory, cold start, counts and pages of a generated fleet.")
{
    results, silo, load, sizes,
};
inventory.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("inventory", Console.Out, TimeProvider.System);
    var plan = new InventoryPlan(parsed.GetRequiredValue(sizes), parsed.GetRequiredValue(load));
    await new InventoryBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var storeDevices = new Option<int>("--devices") { DefaultValueFactory = _ => 20_000, Description = "Size of the fleet." };
var commits = new Option<long>("--commits") { DefaultValueFactory = _ => 1_000_000, Description = "Commits on it." };
var store = new Command("store", "What the embedded store's folder holds after many commits.")
{
    results, silo, load, storeDevices, commits,
};
store.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("store", Console.Out, TimeProvider.System);
    var plan = new StorePlan(parsed.GetValue(storeDevices), parsed.GetValue(commits), parsed.GetRequiredValue(load));
    await new StoreBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var commit = new Command("commits", "Commits beside the raw client's HSET, and what an idle installation costs.") { results, silo, load };
commit.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("commits", Console.Out, TimeProvider.System);
    var plan = new CommitsPlan(parsed.GetRequiredValue(load), parsed.GetRequiredValue(silo));
    await new CommitsBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var watched = new Option<int>("--devices") { DefaultValueFactory = _ => 20_000, Description = "Size of the fleet." };
var watch = new Command("watch", "What a thousand watches that do not match take from commits.") { results, silo, load, watched };
watch.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("watch", Console.Out, TimeProvider.System);
    var plan = new WatchPlan(parsed.GetValue(watched), parsed.GetRequiredValue(load));
    await new WatchBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var offeredTo = new Option<int>("--devices")
{
    DefaultValueFactory = _ => 115_000,
    Description = "Size of the fleet; nine tenths are in service, and four thousand warm up.",
};
var frozenOf = new Option<int>("--frozen")
{
    DefaultValueFactory = _ => 1_115_000,
    Description = "Size of the fleet whose start alone is measured.",
};
var rollouts = new Command("rollouts", "A rollout's start, its offers beside plain commits, and pauses meanwhile.")
{
    results, silo, load, offeredTo, frozenOf,
};
rollouts.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("rollouts", Console.Out, TimeProvider.System);
    var plan = new RolloutsPlan(parsed.GetValue(offeredTo), parsed.GetValue(frozenOf), parsed.GetRequiredValue(load));
    await new RolloutsBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var lines = new Option<int>("--rows") { DefaultValueFactory = _ => 100_000, Description = "Devices on the list." };
var deliveries = new Command("deliveries", "How long the list of a delivery takes.") { results, silo, lines };
deliveries.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("deliveries", Console.Out, TimeProvider.System);
    var plan = new DeliveriesPlan(parsed.GetValue(lines), parsed.GetRequiredValue(silo));
    await new DeliveriesBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var gateway = new Option<string>("--gateway") { Required = true, Description = "Muster.Gateway.dll" };
var identities = new Option<string>("--identities") { Required = true, Description = "The folder that keeps the devices' keys." };
var parts = new Option<string[]>("--part")
{
    DefaultValueFactory = _ => AdmissionPlan.AllParts,
    AllowMultipleArgumentsPerToken = true,
    Description = string.Join(" ", AdmissionPlan.AllParts),
};
parts.AcceptOnlyFromAmong(AdmissionPlan.AllParts);
var held = new Option<int[]>("--connections")
{
    DefaultValueFactory = _ => [100, 1000, 10_000],
    AllowMultipleArgumentsPerToken = true,
    Description = "Sizes of the reports' curve; the largest is what the other parts have at each server.",
};
var visits = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Visits of each server." };
var measured = new Option<double>("--seconds") { DefaultValueFactory = _ => 4, Description = "Measured time of one visit." };
var admission = new Command("admission", "Connects, idle connections, reports of many, revocations, and a storm of reconnects.")
{
    results, silo, gateway, bare, identities, parts, held, visits, measured,
};
admission.SetAction(async (parsed, _) =>
{
    var record = new RunRecord("admission", Console.Out, TimeProvider.System);
    var plan = new AdmissionPlan(parsed.GetRequiredValue(held), parsed.GetValue(visits), parsed.GetValue(measured))
    {
        Parts = parsed.GetRequiredValue(parts),
        SiloAssembly = parsed.GetRequiredValue(silo),
        GatewayAssembly = parsed.GetRequiredValue(gateway),
        BareAssembly = parsed.GetRequiredValue(bare),
        IdentityFolder = parsed.GetRequiredValue(identities),
    };
    await new AdmissionBench(plan, record, TimeProvider.System).RunAsync();
    Console.Error.WriteLine($"kept as {await record.SaveAsync(parsed.GetRequiredValue(results))}");
    return 0;
});
var root = new RootCommand("Muster's benches; see benches/README.md.")
{
    generate, connect, fleet, status, demo, inventory, store, commit, watch, rollouts, deliveries, admission,
};
return await root.Parse(args).InvokeAsync();
