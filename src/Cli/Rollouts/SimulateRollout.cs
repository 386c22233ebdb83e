using System.CommandLine;
using Google.Protobuf;
using Muster.Cli.Session;
using Muster.Cli.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class SimulateRollout
{
    private static readonly Option<string> Specification = new("--file", "-f")
    {
        Description = "YAML with 'rollout' (waves, failure_gate, devices_per_minute and so on, as in the API, or 'strategy' alone),"
            + " 'assumptions', and 'fleet' unless --inventory is given.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<string?> Inventory = new("--inventory")
    {
        Description = "The members: what 'muster devices list --filter FILTER --output json' has written. Those in service count.",
        HelpName = "FILE",
    };

    private static readonly Option<int?> Runs = new("--runs")
    {
        Description = "How often. Default: the file's, else 1000.",
        HelpName = "N",
    };

    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "The same gives the same answer. Default: the file's, else 0.",
        HelpName = "N",
    };

    public static Command Create() => new Command(
        "simulate",
        "Runs a rollout many times in virtual time, with the planner of real ones: when it would end, and how soon its gates would stop"
        + " a bad image. Nothing is created.")
    {
        Specification, Inventory, Runs, Seed,
    }.Calls(async (session, parsed, cancellationToken) =>
    {
        var request = await YamlMessage.ReadAsync<V1.SimulateRolloutRequest>(parsed.GetRequiredValue(Specification), cancellationToken);
        request.Parent = session.Parent;
        if (request.Rollout is { Strategy.Length: > 0 } rollout)
        {
            rollout.Strategy = session.NameOf(StrategyColumns.Collection, rollout.Strategy);
        }

        request.Runs = parsed.GetValue(Runs) ?? request.Runs;
        request.Seed = parsed.GetValue(Seed) ?? request.Seed;
        if (parsed.GetValue(Inventory) is { } inventory)
        {
            var course = await CourseOfAsync(StrategyColumns.Client(session), request.Rollout, cancellationToken);
            var below = request.Fleet?.BelowSteps.ToList() ?? []; // which steps there are only the server knows
            request.Fleet = await CountAsync(inventory, new FleetCount(course), cancellationToken);
            request.Fleet.BelowSteps.Add(below);
        }

        var answer = await RolloutColumns.Client(session).SimulateRolloutAsync(request, cancellationToken: cancellationToken);
        if (session.Output.IsJson)
        {
            await session.Output.ShowAsync(answer);
        }
        else
        {
            session.Output.Console.Write(SimulationPicture.Of(answer, request.Rollout is { IncludeLateJoiners: true }));
        }
    });

    /// <summary>Which fields tell members apart the waves say; those of a strategy are the server's.</summary>
    internal static async Task<V1.Rollout?> CourseOfAsync(
        V1.Strategies.StrategiesClient strategies, V1.Rollout? rollout, CancellationToken cancellationToken)
    {
        if (rollout is not { Strategy.Length: > 0 })
        {
            return rollout;
        }

        var request = new V1.GetStrategyRequest { Name = rollout.Strategy };
        return (await strategies.GetStrategyAsync(request, cancellationToken: cancellationToken)).Rollout;
    }

    /// <summary>Line by line: a fleet is larger than what a person would want in memory.</summary>
    private static async Task<V1.SimulatedFleet> CountAsync(string file, FleetCount count, CancellationToken cancellationToken)
    {
        var parser = new JsonParser(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));
        var line = 0;
        await foreach (var text in File.ReadLinesAsync(file, cancellationToken))
        {
            line++;
            try
            {
                count.Add(parser.Parse<V1.Device>(text));
            }
            catch (InvalidProtocolBufferException wrong)
            {
                throw new UsageException(
                    $"{file}, line {line}: not a device as 'muster devices list --output json' writes it: {wrong.Message}", wrong);
            }
        }

        return count.ToFleet();
    }
}
