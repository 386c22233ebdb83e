using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>How often and when a device is tried, and what becomes of one whose time is over.</summary>
internal static class AttemptOptions
{
    public static readonly Option<int> MaxAttempts = new("--max-attempts")
    {
        Description = "Attempts of a device that fails or times out, the first included: 1 to 10.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    public static readonly Option<string> Backoff = new("--retry-backoff")
    {
        Description = "From the end of an attempt to the next one's turn, doubled with each.",
        HelpName = "SPAN",
        DefaultValueFactory = _ => "5m",
    };

    public static readonly Option<string?> BackoffMax = new("--retry-backoff-max")
    {
        Description = "No back-off is longer (default 4h).",
        HelpName = "SPAN",
    };

    public static readonly Option<string> InProgressPolicy = Policy(
        "--in-progress-policy", "What becomes of a device that has the change and did not end in its time.");

    public static readonly Option<string> UndeliveredPolicy = Policy(
        "--undelivered-policy", "What becomes of a device that was not reached in its time.");

    public static readonly Option<string[]> Windows = new("--window")
    {
        Description = "When devices may be offered the image; several are possible, none for always. RECURRENCE has five fields of cron,"
            + " such as '0 22 * * MON-FRI for 6h in Europe/Stockholm'.",
        HelpName = WindowText.Form,
        DefaultValueFactory = _ => [],
    };

    public static readonly Option<string[]> InstallWindows = new("--install-window")
    {
        Description = "When a device that has the image may begin to install it; several are possible, none for always. It is held"
            + " meanwhile, and so is its in-progress timeout. The same form as --window.",
        HelpName = WindowText.Form,
        DefaultValueFactory = _ => [],
    };

    public static void Read(ParseResult parsed, V1.Rollout rollout)
    {
        if (parsed.GetValue(MaxAttempts) is not 1 and var attempts)
        {
            rollout.Retries = new V1.Retries
            {
                MaxAttempts = attempts,
                Backoff = Values.Duration(parsed.GetRequiredValue(Backoff)),
                BackoffMax = parsed.GetValue(BackoffMax) is { } longest ? Values.Duration(longest) : null,
            };
        }

        rollout.Windows.AddRange(parsed.GetRequiredValue(Windows).Select(WindowText.Parse));
        rollout.InstallWindows.AddRange(parsed.GetRequiredValue(InstallWindows).Select(WindowText.Parse));
        rollout.InProgressPolicy = PolicyOf(parsed.GetRequiredValue(InProgressPolicy));
        rollout.UndeliveredPolicy = PolicyOf(parsed.GetRequiredValue(UndeliveredPolicy));
    }

    private static V1.TimeoutPolicy PolicyOf(string text) => text switch
    {
        "fail" => V1.TimeoutPolicy.Fail,
        "skip" => V1.TimeoutPolicy.Skip,
        "wait" => V1.TimeoutPolicy.Wait,
        _ => throw new UsageException($"'{text}' is no policy: fail, skip or wait."),
    };

    private static Option<string> Policy(string name, string description) => new(name)
    {
        Description = description + " It fails, is skipped and counts for no gate, or is waited for.",
        HelpName = "fail|skip|wait",
        DefaultValueFactory = _ => "fail",
    };
}
