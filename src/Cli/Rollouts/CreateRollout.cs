using System.CommandLine;
using System.Globalization;
using Muster.Cli.Devices;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class CreateRollout
{
    private const string Suspend = "suspend";

    private const string Abort = "abort";

    private const string RollBack = "roll-back";

    private static readonly Argument<string> Id =
        VerbOptions.Name("id", "The rollout's id: lower-case letters, digits and hyphens, for example spring-2027.");

    private static readonly Option<string> Filter = VerbOptions.Filter(DeviceColumns.FilterFields);

    private static readonly Option<string[]> Waves = new("--wave")
    {
        Description = "One wave, in order; several are possible. SIZE is a count or a cumulative percentage such as 10%, SUCCESS the"
            + " percentage that must succeed (default 100), SOAK how long the open gate is watched (such as 30s);"
            + " 'connected' leaves devices without a connection to later waves, as the first wave does by default, 'all' does not;"
            + " LEAST is how many must succeed whatever the percentage (default 1);"
            + " with 'approve' behind it the wave then waits for an approver.",
        HelpName = WaveText.Form,
    };

    private static readonly Option<int> FailureCount = Number("--failure-count", "Stop at so many failed devices of a wave; 0 for off.");

    private static readonly Option<int> FailurePercent = Number("--failure-percent", "Stop at this share of failed devices; 0 for off.");

    private static readonly Option<int> MinFinished = Number(
        "--min-finished", "Devices of a wave that have to end before the share counts.");

    private static readonly Option<string> MaxUnavailable = new("--max-unavailable")
    {
        Description = "Devices in progress at a time, or a percentage of all members such as 5%; 0 for no limit.",
        HelpName = "N",
        DefaultValueFactory = _ => "0",
    };

    private static readonly Option<int> PerMinute = Number("--devices-per-minute", "Offers per minute; 0 for no limit.");

    private static readonly Option<string?> Growth = new("--rate-growth")
    {
        Description = "Multiplies the offers per minute by FACTOR (1.1 to 5) after each COUNT devices offered or succeeded, up to MAX.",
        HelpName = GrowthText.Form,
    };

    private static readonly Option<bool> AllowTrackChange = new("--allow-track-change")
    {
        Description = "Offer it to devices of other tracks too.",
    };

    private static readonly Option<bool> TakeSteps = new("--take-steps")
    {
        Description = "Take devices over the versions that the image requires first; without it they are left out (STEP_REQUIRED).",
    };

    private static readonly Option<string> InProgress = Span("--in-progress-timeout", "From delivery to an outcome.", "1h");

    private static readonly Option<string> Undelivered = Span(
        "--undelivered-timeout",
        "From the first offer of an attempt to a delivery, also when it goes back and is made again; of a device that"
            + " was never offered it and cannot be reached, from the start of its wave.",
        "7d");

    private static readonly Option<string> FailureAction = FailureActions();

    private static readonly Option<int> Approvals = Number(
        "--approvals", "Approvers other than its authors who have to agree before the start, up to 8; the installation may ask for more.");

    private static readonly Option<bool> OverrideNeedsApprover = new("--override-needs-approver")
    {
        Description = "What a gate stopped is resumed by an approver only, who is none of the authors.",
    };

    private static readonly Option<bool> IncludeLateJoiners = new("--include-late-joiners")
    {
        Description = "Devices that come to match after the start go to one more wave, the last, with the gate of the last --wave; without"
            + " it they are left out and counted.",
    };

    private static readonly Option<int> Priority = Number(
        "--priority", "Which of several rollouts gets a device first that all of them wait for: the higher one, 0 to 9.");

    private static readonly Option<bool> SupersedesOlder = new("--supersedes-older")
    {
        Description = "Older rollouts of an image leave it the devices that they have not told anything yet.",
    };

    /// <summary>The options that the failure gate consists of.</summary>
    public static IReadOnlyList<Option> Gate => [FailureCount, FailurePercent, MinFinished, FailureAction];

    public static Option<long?> Seed { get; } = new("--seed")
    {
        Description = "Key of the order of the members: the same seed gives the same canaries. Without it a draft keeps its own, a retry "
            + "has that of its rollout, and a new one what its id gives.",
        HelpName = "N",
    };

    public static Option<bool> ValidateOnly { get; } = new("--validate-only")
    {
        Description = "Create nothing; say how many devices match, how they would be cut into waves and strata, whom the image is"
            + " not for, and which versions they have to run first.",
    };

    public static Option<string?> RequestId { get; } = VerbOptions.RequestId();

    public static Command Create() => AddSpecTo(new Command(
        "create", "Creates a rollout in state DRAFT, or AWAITING_APPROVAL where approvals are needed.")
    {
        Id, ValidateOnly, RequestId,
    }).Calls(async (session, parsed, cancellationToken) =>
    {
        var request = new V1.CreateRolloutRequest
        {
            Parent = session.Parent,
            RolloutId = parsed.GetRequiredValue(Id),
            RequestId = parsed.RequestIdOf(RequestId),
            ValidateOnly = parsed.GetValue(ValidateOnly),
            Rollout = Read(session, parsed),
        };
        var answer = await RolloutColumns.Client(session).CreateRolloutAsync(request, cancellationToken: cancellationToken);
        await (request.ValidateOnly ? StrataTable.ShowPlanAsync(session, answer) : session.Output.ShowAsync(answer));
    });

    /// <summary>The options that say what is ordered, for every command that orders it.</summary>
    public static Command AddSpecTo(Command command)
    {
        Option[] course =
        [
            Waves, WaveOptions.Filters, WaveOptions.Strata, FailureCount, FailurePercent, MinFinished, MaxUnavailable, BudgetOptions.Per,
            PerMinute, Growth, InProgress, Undelivered, AttemptOptions.MaxAttempts, AttemptOptions.Backoff, AttemptOptions.BackoffMax,
            AttemptOptions.InProgressPolicy, AttemptOptions.UndeliveredPolicy, AttemptOptions.Windows,
            AttemptOptions.InstallWindows,
            FailureAction, Approvals, OverrideNeedsApprover, IncludeLateJoiners, Priority, SupersedesOlder,
        ];
        ChangeOptions.AddTo(command);
        command.Add(Filter);
        command.Add(AllowTrackChange);
        command.Add(TakeSteps);
        command.Add(Seed);
        StrategyOption.AddTo(command, Waves, course);
        return command;
    }

    public static V1.Rollout Read(FleetSession session, ParseResult parsed)
    {
        var rollout = StrategyOption.Read(session, parsed) is { } strategy
            ? new V1.Rollout { Strategy = strategy }
            : ReadCourse(parsed);
        rollout.Filter = parsed.GetRequiredValue(Filter);
        rollout.AllowTrackChange = parsed.GetValue(AllowTrackChange);
        rollout.TakeSteps = parsed.GetValue(TakeSteps);
        if (parsed.GetValue(Seed) is { } seed)
        {
            rollout.Seed = seed;
        }

        ChangeOptions.Read(session, parsed, rollout);
        return rollout;
    }

    private static V1.Rollout ReadCourse(ParseResult parsed)
    {
        var rollout = new V1.Rollout
        {
            DevicesPerMinute = parsed.GetValue(PerMinute),
            RateGrowth = parsed.GetValue(Growth) is { } growth ? GrowthText.Parse(growth) : null,
            ApprovalsRequired = parsed.GetValue(Approvals),
            OverrideNeedsApprover = parsed.GetValue(OverrideNeedsApprover),
            IncludeLateJoiners = parsed.GetValue(IncludeLateJoiners),
            Priority = parsed.GetValue(Priority),
            SupersedesOlder = parsed.GetValue(SupersedesOlder),
            InProgressTimeout = Values.Duration(parsed.GetRequiredValue(InProgress)),
            UndeliveredTimeout = Values.Duration(parsed.GetRequiredValue(Undelivered)),
            FailureGate = ReadGate(parsed),
        };
        ReadBudget(parsed.GetRequiredValue(MaxUnavailable), rollout);
        BudgetOptions.Read(parsed, rollout);
        AttemptOptions.Read(parsed, rollout);
        rollout.Waves.AddRange(parsed.GetRequiredValue(Waves).Select(WaveText.Parse));
        WaveOptions.Read(parsed, rollout.Waves);
        return rollout;
    }

    public static V1.FailureGate ReadGate(ParseResult parsed) => new()
    {
        FailureCount = parsed.GetValue(FailureCount),
        FailurePercent = parsed.GetValue(FailurePercent),
        MinFinished = parsed.GetValue(MinFinished),
        Action = ActionOf(parsed.GetRequiredValue(FailureAction)),
    };

    /// <summary>A count, or a percentage of the members.</summary>
    public static void ReadBudget(string budget, V1.Rollout rollout)
    {
        if (budget.EndsWith('%'))
        {
            // Nought percent is not no limit, as 0 is, and nobody would be offered anything.
            rollout.MaxUnavailablePercent = Budget(budget[..^1]) is > 0 and var percent
                ? percent
                : throw new UsageException(
                    $"'{budget}' would offer nobody anything: --max-unavailable takes 1% or more, or 0 for no limit.");
        }
        else
        {
            rollout.MaxUnavailable = Budget(budget);
        }
    }

    private static int Budget(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new UsageException($"'{text}' is no number of devices: --max-unavailable takes 20 or 5%.");

    private static V1.FailureAction ActionOf(string name) => name switch
    {
        Abort => V1.FailureAction.Abort,
        RollBack => V1.FailureAction.RollBack,
        _ => V1.FailureAction.Suspend,
    };

    private static Option<string> FailureActions()
    {
        var option = new Option<string>("--failure-action")
        {
            Description = "What happens then: suspend, until somebody resumes with an override, abort, which ends the rollout, or"
                + " roll-back, which brings its devices back to what they ran before.",
            HelpName = "ACTION",
            DefaultValueFactory = _ => Suspend,
        };
        option.AcceptOnlyFromAmong(Suspend, Abort, RollBack);
        return option;
    }

    private static Option<int> Number(string name, string description) =>
        new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => 0 };

    private static Option<string> Span(string name, string description, string preset) =>
        new(name) { Description = description, HelpName = "SPAN", DefaultValueFactory = _ => preset };
}
