using System.CommandLine;
using Muster.InventoryLoad;

var store = new Option<string>("--store") { Required = true, Description = "host:port of an empty redis-server." };
var devices = new Option<int>("--devices") { Required = true, Description = "Size of the fleet." };

var hotOnly = new Option<bool>("--hot-only") { Description = "Without the reported settings, which are the cold part." };
var fill = new Command("fill", "Commits the generated fleet.") { store, devices, hotOnly };
fill.SetAction((parsed, cancellationToken) => StoreFill.RunAsync(
    parsed.GetRequiredValue(store), parsed.GetValue(devices), !parsed.GetValue(hotOnly), cancellationToken));

var weigh = new Command("weigh", "Activates every device of the store and tells what one holds.") { store, devices };
weigh.SetAction((parsed, cancellationToken) =>
    new GrainWeight(parsed.GetRequiredValue(store), parsed.GetValue(devices), Console.Out).RunAsync(cancellationToken));

var measure = new Command("measure", "Opens the store in a silo and asks; prints one line per measurement.") { store, devices };
measure.SetAction((parsed, cancellationToken) =>
    new Measurement(parsed.GetRequiredValue(store), parsed.GetValue(devices), Console.Out).RunAsync(cancellationToken));

var watch = new Command("watch", "Commits a second with and without a thousand watches that do not match.") { store, devices };
watch.SetAction((parsed, cancellationToken) =>
    new WatchCost(parsed.GetRequiredValue(store), parsed.GetValue(devices), Console.Out).RunAsync(cancellationToken));

var what = new Option<string>("--what") { Required = true, Description = "offers, young, pauses, quiet or freeze." };
what.AcceptOnlyFromAmong("offers", "young", "pauses", "quiet", "freeze");
var rollout = new Command("rollout", "A rollout over a filled store whose devices are connected.") { store, devices, what };
rollout.SetAction((parsed, cancellationToken) =>
{
    var measured = parsed.GetRequiredValue(what);
    var cost = new RolloutCost(parsed.GetRequiredValue(store), parsed.GetValue(devices), isYoung: measured == "young", Console.Out);
    return measured switch
    {
        "offers" or "young" => cost.OffersAsync(cancellationToken),
        "pauses" => cost.PausesAsync(cancellationToken),
        "quiet" => cost.QuietAsync(cancellationToken),
        _ => cost.FreezeAsync(cancellationToken),
    };
});

var folder = new Option<string>("--folder") { Required = true, Description = "The embedded store's folder." };
var commits = new Option<long>("--commits") { Required = true, Description = "Commits after those that create the devices." };

var write = new Command("write", "Commits into the embedded store until it ends as a crash does.") { folder, devices, commits };
write.SetAction((parsed, cancellationToken) => new StoreLog(parsed.GetRequiredValue(folder), Console.Out)
    .WriteAsync(parsed.GetValue(devices), parsed.GetValue(commits), cancellationToken));

var open = new Command("open", "Opens that store again.") { folder, devices };
open.SetAction((parsed, cancellationToken) => new StoreLog(parsed.GetRequiredValue(folder), Console.Out)
    .ReadAsync(parsed.GetValue(devices), cancellationToken));

var redis = new Option<string?>("--store") { Description = "host:port of an empty redis-server; without it, the embedded store." };
var empty = new Option<string?>("--folder") { Description = "The embedded store's folder." };
var only = new Option<string?>("--only") { Description = "few, raw or many: this kind of visit alone, for a profiler." };
var rate = new Command("commits", "Commits a second, beside the raw client's HSET of the same bytes.") { redis, empty, only };
rate.SetAction((parsed, _) => parsed.GetValue(redis) is { } server
    ? new CommitRate(parsed.GetValue(only), Console.Out).MeasureRedisAsync(server)
    : new CommitRate(parsed.GetValue(only), Console.Out).MeasureEmbeddedAsync(
        parsed.GetValue(empty) ?? throw new InvalidOperationException("--store or --folder")));

var root = new RootCommand("Inventory and store under load; ./bench inventory and ./bench store run it.")
{
    fill, measure, weigh, watch, rollout, write, open, rate,
};
return await root.Parse(args).InvokeAsync();
