using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Fleet;

/// <summary>What the devices themselves say happened, one JSON object a line; compared with what the server says.</summary>
internal sealed class FleetLog(string path, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _writer = new(path, append: true) { AutoFlush = true };

    public void Write(string device, DeviceStep.Tell tell)
    {
        var line = JsonSerializer.Serialize(
            new Line(time.GetUtcNow(), device, tell.Event, Shown(tell.Digest), Shown(tell.Boot), Shown(tell.Reason)), JsonForm.Options);
        lock (_gate)
        {
            _writer.WriteLine(line);
        }
    }

    public void Dispose() => _writer.Dispose();

    private static string? Shown(string text) => text.Length == 0 ? null : text;

    private sealed record Line(DateTimeOffset At, string Device, string Event, string? Digest, string? Boot, string? Reason);
}

internal static class JsonForm
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
