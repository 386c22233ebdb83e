using System.CommandLine;
using Muster.Cli.Devices;
using Muster.Cli.Images;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class CreateRollout
{
    private static readonly Argument<string> Id =
        VerbOptions.Name("id", "The rollout's id: lower-case letters, digits and hyphens, for example spring-2027.");

    private static readonly Option<string> Image = new("--image") { Description = "The digest of the image.", Required = true };

    private static readonly Option<string> Filter = VerbOptions.Filter(DeviceColumns.FilterFields);

    private static readonly Option<string[]> Waves = new("--wave")
    {
        Description = "One wave, in order; several are possible. SIZE is a count or a cumulative percentage such as 10%, SUCCESS the"
            + " percentage that must succeed (default 100), SOAK how long the open gate is watched (such as 30s);"
            + " 'connected' leaves devices without a connection to later waves, as the first wave does by default, 'all' does not.",
        HelpName = WaveText.Form,
        Required = true,
    };

    private static readonly Option<int> FailureCount = Number("--failure-count", "Stop at so many failed devices of a wave; 0 for off.");

    private static readonly Option<int> FailurePercent = Number("--failure-percent", "Stop at this share of failed devices; 0 for off.");

    private static readonly Option<int> MinFinished = Number(
        "--min-finished", "Devices of a wave that have to end before the share counts.");

    private static readonly Option<int> MaxUnavailable = Number("--max-unavailable", "Devices in progress at a time; 0 for no limit.");

    private static readonly Option<int> PerMinute = Number("--devices-per-minute", "Offers per minute; 0 for no limit.");

    private static readonly Option<bool> AllowTrackChange = new("--allow-track-change")
    {
        Description = "Offer it to devices of other tracks too.",
    };

    private static readonly Option<string> InProgress = Span("--in-progress-timeout", "From delivery to an outcome.", "1h");

    private static readonly Option<string> Undelivered = Span("--undelivered-timeout", "From the first turn to a delivery.", "7d");

    private static readonly Option<bool> ValidateOnly = new("--validate-only")
    {
        Description = "Create nothing; say how many devices match.",
    };

    private static readonly Option<string?> RequestId = VerbOptions.RequestId();

    public static Command Create() => new Command("create", "Creates a rollout in state DRAFT.")
    {
        Id, Image, Filter, Waves, FailureCount, FailurePercent, MinFinished, MaxUnavailable, PerMinute, AllowTrackChange, InProgress,
        Undelivered, ValidateOnly, RequestId,
    }.Calls(async (session, parsed, cancellationToken) =>
    {
        var request = new V1.CreateRolloutRequest
        {
            Parent = session.Parent,
            RolloutId = parsed.GetRequiredValue(Id),
            RequestId = parsed.RequestIdOf(RequestId),
            ValidateOnly = parsed.GetValue(ValidateOnly),
            Rollout = Read(session, parsed),
        };
        await session.Output.ShowAsync(
            await RolloutColumns.Client(session).CreateRolloutAsync(request, cancellationToken: cancellationToken));
    });

    private static V1.Rollout Read(FleetSession session, ParseResult parsed)
    {
        var rollout = new V1.Rollout
        {
            Image = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(Image)),
            Filter = parsed.GetRequiredValue(Filter),
            DevicesPerMinute = parsed.GetValue(PerMinute),
            MaxUnavailable = parsed.GetValue(MaxUnavailable),
            AllowTrackChange = parsed.GetValue(AllowTrackChange),
            InProgressTimeout = Values.Duration(parsed.GetRequiredValue(InProgress)),
            UndeliveredTimeout = Values.Duration(parsed.GetRequiredValue(Undelivered)),
            FailureGate = new V1.FailureGate
            {
                FailureCount = parsed.GetValue(FailureCount),
                FailurePercent = parsed.GetValue(FailurePercent),
                MinFinished = parsed.GetValue(MinFinished),
            },
        };
        rollout.Waves.AddRange(parsed.GetRequiredValue(Waves).Select(WaveText.Parse));
        return rollout;
    }

    private static Option<int> Number(string name, string description) =>
        new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => 0 };

    private static Option<string> Span(string name, string description, string preset) =>
        new(name) { Description = description, HelpName = "SPAN", DefaultValueFactory = _ => preset };
}
