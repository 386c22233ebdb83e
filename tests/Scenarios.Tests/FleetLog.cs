using System.Text.Json;

namespace Muster.Scenarios.Tests;

/// <summary>What the fleet itself wrote down.</summary>
internal static class FleetLog
{
    private static readonly TimeSpan FilePoll = TimeSpan.FromMilliseconds(5);

    /// <summary>Waits until the fleet's own log has an event so many times.</summary>
    public static async Task SeenAsync(OneProcess muster, string name, int count, CancellationToken cancellationToken)
    {
        while ((await EventsAsync(muster, name, cancellationToken)).Count < count)
        {
            await Task.Delay(FilePoll, cancellationToken);
        }
    }

    /// <summary>The devices that tell of an event, once for each time.</summary>
    public static async Task<List<string>> EventsAsync(OneProcess muster, string name, CancellationToken cancellationToken)
    {
        var events = new List<string>();
        if (!File.Exists(SimulatorProgram.FleetLog(muster)))
        {
            return events;
        }

        await using var stream = new FileStream(
            SimulatorProgram.FleetLog(muster), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            // The last line may be half written.
            if (line.Contains($"\"event\":\"{name}\"", StringComparison.Ordinal) && line.EndsWith('}'))
            {
                using var told = JsonDocument.Parse(line);
                events.Add(told.RootElement.GetProperty("device").GetString()!);
            }
        }

        return events;
    }
}
