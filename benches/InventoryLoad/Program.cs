using System.CommandLine;
using Muster.InventoryLoad;

var store = new Option<string>("--store") { Required = true, Description = "host:port of an empty redis-server." };
var devices = new Option<int>("--devices") { Required = true, Description = "Size of the fleet." };

var fill = new Command("fill", "Commits the generated fleet.") { store, devices };
fill.SetAction((parsed, cancellationToken) =>
    StoreFill.RunAsync(parsed.GetRequiredValue(store), parsed.GetValue(devices), cancellationToken));

var measure = new Command("measure", "Opens the store in a silo and asks; prints one line per measurement.") { store, devices };
measure.SetAction((parsed, cancellationToken) =>
    new Measurement(parsed.GetRequiredValue(store), parsed.GetValue(devices), Console.Out).RunAsync(cancellationToken));

return await new RootCommand("The inventory under load; ./bench inventory runs it.") { fill, measure }.Parse(args).InvokeAsync();
