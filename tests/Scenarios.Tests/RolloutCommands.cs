using System.Text.Json;

namespace Muster.Scenarios.Tests;

/// <summary>What the command line says of rollouts, as an operator's script reads it.</summary>
internal static class RolloutCommands
{
    /// <summary>A rollout of a few devices takes some seconds for each installation; only a bug reaches it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A command that has to succeed; the first object that it prints.</summary>
    public static async Task<JsonElement> ReadAsync(OneProcess muster, params string[] arguments)
    {
        var (code, output, error) = await muster.MusterAsync(arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {error}");
        return JsonDocument.Parse(output.Split('\n')[0]).RootElement;
    }

    /// <summary>Waits until the rollout is in the state, a name of the API without its prefix.</summary>
    public static async Task<JsonElement> UntilAsync(OneProcess muster, string rollout, string state)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = await ReadAsync(muster, "rollouts", "get", rollout);
            if (now.GetProperty("state").GetString() == $"ROLLOUT_STATE_{state}")
            {
                return now;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Not {state}: {now}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        }
    }
}
