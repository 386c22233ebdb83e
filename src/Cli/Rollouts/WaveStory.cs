using System.Globalization;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>An explanation of a wave as people read it, line by line.</summary>
internal static class WaveStory
{
    public static IEnumerable<string> Of(V1.WaveExplanation explanation)
    {
        var wave = explanation.Wave;
        var rollout = $"{Values.Short(explanation.Name)} is {EnumNames.Of(explanation.RolloutState)}";
        yield return Text($"{rollout}; wave {wave.Index} is {EnumNames.Of(wave.State)}.");
        if (explanation.LogCut)
        {
            yield return "The log of decisions is cut: the oldest may be missing here.";
        }

        foreach (var decision in explanation.Why)
        {
            yield return $"  {RolloutPicture.Line(decision)} ({decision.Actor})";
        }

        yield return explanation.Waits.Count == 0 ? "It waits for nothing." : "It waits:";
        foreach (var wait in explanation.Waits)
        {
            var until = wait.Until is { } at ? Text($", until {at.ToDateTimeOffset():u}") : "";
            yield return $"  {wait.On}: {wait.Text}{until}";
        }

        if (explanation.SuccessGate is { } success)
        {
            yield return Text($"Success gate: {success.Verdict}. {success.Succeeded} of {success.Counted} succeeded; ")
                + Text($"{success.Percent} % and at least {success.Least} are needed, {success.Undecided} have no outcome; ")
                + Text($"{wave.Skipped} skipped and {wave.Removed} removed do not count.");
        }

        if (explanation.FailureGate is { } failure)
        {
            yield return Text($"Failure gate: {(failure.Fires ? "fires" : "quiet")}. {failure.Failed} of {failure.Finished} ended failed")
                + (failure.FailedWaived > 0 ? Text($", {failure.FailedWaived} more are accepted") : "")
                + $"; it fires at {Limit(failure.Gate)}.";
        }
    }

    private static string Limit(V1.FailureGate gate) => RolloutPicture.Limit(gate) is { Length: > 0 } limit ? limit : "no number";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
