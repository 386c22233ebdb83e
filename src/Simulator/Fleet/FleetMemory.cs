using System.Text.Json;
using Muster.Simulator.Devices;

namespace Muster.Simulator.Fleet;

/// <summary>
/// The memories of all devices: a journal of JSON lines whose last line of a device counts; shortened when it is opened. A last
/// line that was cut off by a kill is dropped.
/// </summary>
internal sealed class FleetMemory : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DeviceMemory> _memories = new(StringComparer.Ordinal);
    private readonly StreamWriter _writer;

    public FleetMemory(string path)
    {
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            if (Read(line) is { } memory)
            {
                _memories[memory.Serial] = memory;
            }
        }

        var shortened = path + ".new";
        File.WriteAllLines(shortened, _memories.Values.Select(memory => JsonSerializer.Serialize(memory, JsonForm.Options)));
        File.Move(shortened, path, overwrite: true);
        _writer = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    public DeviceMemory? Find(string serial)
    {
        lock (_gate)
        {
            return _memories.GetValueOrDefault(serial);
        }
    }

    public void Save(DeviceMemory memory)
    {
        lock (_gate)
        {
            _memories[memory.Serial] = memory;
            _writer.WriteLine(JsonSerializer.Serialize(memory, JsonForm.Options));
        }
    }

    public void Dispose() => _writer.Dispose();

    private static DeviceMemory? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<DeviceMemory>(line, JsonForm.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
