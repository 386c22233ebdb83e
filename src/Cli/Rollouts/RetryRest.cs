using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class RetryRest
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var id = new Option<string>("--new-id") { Description = "The id of the new rollout.", HelpName = "NAME", Required = true };
        var waves = new Option<string[]>("--wave")
        {
            Description = "Other waves, as create takes them; percentages are of the members of the new rollout. Default: the same.",
            HelpName = WaveText.Form,
            DefaultValueFactory = _ => [],
        };
        var filter = new Option<string>("--filter")
        {
            Description = "Only those of the rest that match this, too. Default: all of it.",
            HelpName = "FILTER",
            DefaultValueFactory = _ => "",
        };
        var command = new Command(
            "retry-rest",
            "Creates a rollout of the rest of one that has ended: of its members that did not succeed, those that are in service and match"
                + " when the new one is started. What is not said here is as it was: --wave-filter and --stratify without --wave are beside"
                + " what the waves have. With one of the --failure options the gate is new as a whole. It is approved and started as any"
                + " other.")
        {
            rollout, id, filter, waves, WaveOptions.Filters, WaveOptions.Strata,
            CreateRollout.Seed, CreateRollout.ValidateOnly, CreateRollout.RequestId,
        };
        foreach (var option in CreateRollout.Gate)
        {
            command.Add(option);
        }

        return command.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.RetryRolloutRequest
            {
                Name = RolloutColumns.NameOf(session, parsed, rollout),
                RolloutId = parsed.GetRequiredValue(id),
                RequestId = parsed.RequestIdOf(CreateRollout.RequestId),
                ValidateOnly = parsed.GetValue(CreateRollout.ValidateOnly),
                Filter = parsed.GetRequiredValue(filter),
                FailureGate = CreateRollout.Gate.Any(option => parsed.GetResult(option) is { Implicit: false })
                    ? CreateRollout.ReadGate(parsed)
                    : null,
            };
            request.Waves.AddRange(parsed.GetRequiredValue(waves).Select(WaveText.Parse));
            await ReadWavesAsync(RolloutColumns.Client(session), parsed, request, cancellationToken);
            if (parsed.GetValue(CreateRollout.Seed) is { } seed)
            {
                request.Seed = seed;
            }

            var made = await RolloutColumns.Client(session).RetryRolloutAsync(request, cancellationToken: cancellationToken);
            CheckNarrowed(request, made);
            await session.Output.ShowAsync(made);
        });
    }

    /// <summary>
    /// Filters and strata are of the waves that are given. Where none are, the waves are sent as they will be; a filter beside the one
    /// that its wave has is put there by the server, which knows where one ends.
    /// </summary>
    internal static async Task ReadWavesAsync(
        V1.Rollouts.RolloutsClient rollouts, ParseResult parsed, V1.RetryRolloutRequest request, CancellationToken cancellationToken)
    {
        if (request.Waves.Count > 0 || !WaveOptions.IsGiven(parsed))
        {
            WaveOptions.Read(parsed, request.Waves);
            return;
        }

        var get = new V1.GetRolloutRequest { Name = request.Name };
        var waves = (await rollouts.GetRolloutAsync(get, cancellationToken: cancellationToken)).Waves;
        var changed = WaveOptions.AddStrata(parsed, waves);
        foreach (var filter in WaveOptions.ReadFilters(parsed, waves.Count))
        {
            if (waves[filter.Wave].Filter.Length > 0)
            {
                request.WaveFilters.Add(filter);
            }
            else
            {
                (waves[filter.Wave].Filter, changed) = (filter.Filter, true);
            }
        }

        if (changed)
        {
            request.Waves.AddRange(waves);
        }
    }

    /// <summary>A server of an earlier version leaves filters out that it does not know of, and says nothing.</summary>
    internal static void CheckNarrowed(V1.RetryRolloutRequest request, V1.Rollout made)
    {
        var left = request.WaveFilters.FirstOrDefault(filter =>
            !made.Waves[filter.Wave].Filter.Contains(filter.Filter, StringComparison.Ordinal));
        if (left is not null)
        {
            throw new UsageException(
                $"The server is of an earlier version and left '{left.Filter}' of --wave-filter out of {made.Name}: do not start it;"
                + " give the waves anew with --wave, or repeat this when all gateways are of this version.");
        }
    }
}
