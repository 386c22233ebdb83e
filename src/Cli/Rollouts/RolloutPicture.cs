using System.Globalization;
using Muster.Cli.Output;
using Muster.Cli.Session;
using Spectre.Console;
using Spectre.Console.Rendering;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A rollout as people see it: a bar per wave, its gate, and the last decisions.</summary>
internal static class RolloutPicture
{
    private const int BarWidth = 40;

    /// <summary>More would push the bars off a small terminal.</summary>
    private const int DecisionsShown = 8;

    public static IRenderable Of(V1.Rollout rollout)
    {
        var rows = new List<IRenderable> { new Text(Line(rollout)), new Text("") };
        if (rollout.Estimate is { Text.Length: > 0 } estimate && rollout.EndedAt is null)
        {
            rows.Add(new Text($"Its end: {estimate.Text}"));
            rows.Add(new Text(""));
        }

        if (rollout.RetryOf.Length > 0)
        {
            rows.Add(new Text($"the rest of {Values.Short(rollout.RetryOf)}", new Style(decoration: Decoration.Dim)));
        }

        if (rollout.State == V1.RolloutState.AwaitingApproval)
        {
            rows.Add(new Text(Approvals(rollout)));
        }

        if (rollout.Settings.Count > 0)
        {
            rows.Add(new Text(Settings(rollout), new Style(decoration: Decoration.Dim)));
        }

        if (LateJoiners(rollout) is { Length: > 0 } late)
        {
            rows.Add(new Text(late, new Style(decoration: Decoration.Dim)));
        }

        rows.Add(new Text(Pace(rollout), new Style(decoration: Decoration.Dim)));
        if (rollout.MaxUnavailablePer.Count > 0)
        {
            rows.Add(new Text(
                $"at a time of each value: {string.Join(", ", rollout.MaxUnavailablePer.Select(BudgetOptions.Text))}",
                new Style(decoration: Decoration.Dim)));
        }

        for (var i = 0; i < rollout.WaveStatus.Count; i++)
        {
            var spec = rollout.Waves[Math.Min(i, rollout.Waves.Count - 1)];
            rows.Add(Bar(rollout.WaveStatus[i]));
            rows.Add(new Text("          " + Gate(rollout, rollout.WaveStatus[i], spec), new Style(decoration: Decoration.Dim)));
        }

        rows.Add(new Text(""));
        rows.AddRange(rollout.Decisions.TakeLast(DecisionsShown).Select(decision => new Text(Line(decision))));
        return new Rows(rows);
    }

    public static string Line(V1.Rollout rollout)
    {
        var waves = rollout.WaveStatus.Select(wave => string.Create(
            CultureInfo.InvariantCulture,
            $"wave {wave.Index}: {EnumNames.Of(wave.State)} {Numbers(wave)}"));
        return string.Join("; ", waves.Prepend($"{Values.Short(rollout.Name)} {EnumNames.Of(rollout.State)}"))
            + (rollout.LeftOut > 0 ? FormattableString.Invariant($"; {rollout.LeftOut} left out") : "")
            + (rollout.WaitingOn.Length > 0 ? $" (waits: {rollout.WaitingOn})" : "")
            + End(rollout);
    }

    public static string Line(V1.RolloutDecision decision) =>
        $"{decision.At?.ToDateTimeOffset():HH:mm:ss}  {decision.Decision}  {decision.Reason}";

    /// <summary>Who matches since the start: where they are, or that they are nowhere.</summary>
    private static string LateJoiners(V1.Rollout rollout)
    {
        var joined = rollout.WaveStatus.LastOrDefault(wave => wave.LateJoiners) is { } last
            ? FormattableString.Invariant($"wave {last.Index} is for devices that join late: {rollout.LateJoiners} have")
            : "";
        var left = rollout.LeftOut > 0
            ? FormattableString.Invariant($"left out: {rollout.LeftOut} devices that match and are no members")
            : "";
        return string.Join("; ", new[] { joined, left }.Where(text => text.Length > 0));
    }

    /// <summary>What is behind it is told by a terminal and by <c>get</c>.</summary>
    private static string End(V1.Rollout rollout) => rollout is { EndedAt: null, Estimate.EndsAt: { } at }
        ? FormattableString.Invariant($" (ends about {at.ToDateTimeOffset():yyyy-MM-dd HH:mm}Z)")
        : "";

    private static Markup Bar(V1.Wave wave)
    {
        var succeeded = Cells(wave.Succeeded, wave.Members);
        var failed = Cells(Failed(wave), wave.Members);
        var others = Cells(wave.Skipped + wave.Removed + wave.Untouched, wave.Members);
        var running = Cells(wave.InProgress, wave.Members);
        var empty = Math.Max(0, BarWidth - succeeded - failed - others - running);
        var bar = $"[green]{new string('█', succeeded)}[/][red]{new string('█', failed)}[/][grey]{new string('█', others)}[/]"
            + $"[yellow]{new string('▒', running)}[/][grey]{new string('░', empty)}[/]";
        return new Markup(string.Create(
            CultureInfo.InvariantCulture,
            $"wave {wave.Index,-4} {bar} {EnumNames.Of(wave.State),-17} {Numbers(wave)}"));
    }

    private static string Numbers(V1.Wave wave) => string.Create(
        CultureInfo.InvariantCulture, $"{wave.Succeeded}/{wave.Members} ok, {Failed(wave)} failed, {wave.InProgress} in progress")
        + (wave.Retrying > 0 ? string.Create(CultureInfo.InvariantCulture, $", {wave.Retrying} to try again") : "")
        + Skips(wave);

    private static string Skips(V1.Wave wave) => wave.Skips.Count == 0
        ? ""
        : ", skipped: " + string.Join(", ", wave.Skips.Select(skip => FormattableString.Invariant($"{skip.Devices} {skip.Reason}")));

    private static string Gate(V1.Rollout rollout, V1.Wave wave, V1.WaveSpec spec)
    {
        var counted = wave.Members - wave.Removed - wave.Skipped;
        var share = counted > 0 ? wave.Succeeded * 100 / counted : 0;
        var gate = string.Create(CultureInfo.InvariantCulture, $"gate: {share} % of {spec.SuccessPercent} % succeeded");
        var soak = spec.Soak is { } span && span.ToTimeSpan() > TimeSpan.Zero ? $", soak {span.ToTimeSpan()}" : "";
        var failures = rollout.FailureGate is { } failure && (failure.FailureCount > 0 || failure.FailurePercent > 0)
            ? $", {Verb(failure.Action)} at {Limit(failure)}"
            : "";
        return wave.WayThere is { } there ? WayBack(wave, there) : gate + soak + failures + Approval(wave, spec);
    }

    /// <summary>The rate and the overall budget, also that there is none.</summary>
    private static string Pace(V1.Rollout rollout)
    {
        var rate = rollout.DevicesPerMinute == 0
            ? "no limit"
            : FormattableString.Invariant($"{rollout.DevicesPerMinute} offers per minute");
        var growth = rollout.RateGrowth is { } grows ? $", growing {GrowthText.Text(grows)}" : "";
        var budget = rollout switch
        {
            { MaxUnavailablePercent: > 0 and var percent } => FormattableString.Invariant($"{percent} % of the members"),
            { MaxUnavailable: > 0 and var count } => FormattableString.Invariant($"{count} devices"),
            _ => "no limit",
        };
        return $"rate: {rate}{growth}; in progress at a time: {budget}";
    }

    private static string Settings(V1.Rollout rollout) =>
        "sets " + string.Join(", ", rollout.Settings.Select(setting => $"{setting.Name}={setting.Value}"));

    private static string Verb(V1.FailureAction action) => action switch
    {
        V1.FailureAction.Abort => "aborts",
        V1.FailureAction.RollBack => "rolls back",
        _ => "stops",
    };

    private static string WayBack(V1.Wave wave, V1.WayThere there) => string.Create(
        CultureInfo.InvariantCulture,
        $"way back: {there.Succeeded} had succeeded, {there.Failed} failed, {wave.Untouched} were never offered the image");

    private static string Approvals(V1.Rollout rollout)
    {
        var given = string.Join(", ", rollout.Approvals.Select(approval => approval.Approver));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"approved by {rollout.Approvals.Count} of {rollout.ApprovalsNeeded}{(given.Length > 0 ? $": {given}" : "")}");
    }

    private static string Approval(V1.Wave wave, V1.WaveSpec spec) => wave switch
    {
        { ApprovedBy.Length: > 0 } => $", approved by {wave.ApprovedBy}",
        { State: V1.WaveState.AwaitingApproval } => $", waits for an approver since {wave.AwaitingSince?.ToDateTimeOffset():HH:mm:ss}",
        _ => spec.NeedsApproval ? ", then an approver" : "",
    };

    public static string Limit(V1.FailureGate gate) => string.Join(" or ", new[]
    {
        gate.FailureCount > 0 ? $"{gate.FailureCount} failed" : "",
        gate.FailurePercent > 0 ? $"{gate.FailurePercent} % failed of at least {Math.Max(1, gate.MinFinished)} ended" : "",
    }.Where(text => text.Length > 0));

    private static long Failed(V1.Wave wave) => wave.Failed + wave.TimedOut + wave.Rejected;

    private static int Cells(long part, long all) => all == 0 ? 0 : (int)(part * BarWidth / all);
}
