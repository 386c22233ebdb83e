using System.Text.Json;

namespace Muster.Simulator.Demo;

/// <summary>Reads the fleet's own log as it grows: what the devices say happened to them.</summary>
internal sealed class FleetWitness(string path)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DeviceStory> _stories = new(StringComparer.Ordinal);
    private long _position;

    /// <summary>Of a device that the log does not name, an empty story.</summary>
    public DeviceStory Of(string serial)
    {
        lock (_gate)
        {
            Read();
            return _stories.GetValueOrDefault(serial) ?? new DeviceStory();
        }
    }

    /// <summary>How many of these devices have such a story.</summary>
    public long Count(IEnumerable<string> serials, Func<DeviceStory, bool> isSo)
    {
        lock (_gate)
        {
            Read();
            return serials.LongCount(serial => _stories.TryGetValue(serial, out var story) && isSo(story));
        }
    }

    public long Installs()
    {
        lock (_gate)
        {
            Read();
            return _stories.Values.Sum(story => story.Installs.Values.Sum(count => (long)count));
        }
    }

    private void Read()
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = _position;
        using var rest = new MemoryStream();
        stream.CopyTo(rest);
        var text = rest.GetBuffer().AsSpan(0, (int)rest.Length);
        for (var end = text.IndexOf((byte)'\n'); end >= 0; end = text.IndexOf((byte)'\n'))
        {
            Note(text[..end]);
            text = text[(end + 1)..];
            _position += end + 1;
        }
    }

    private void Note(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || JsonSerializer.Deserialize<Line>(line, JsonSerializerOptions.Web) is not { } told)
        {
            return;
        }

        if (!_stories.TryGetValue(told.Device, out var story))
        {
            _stories[told.Device] = story = new DeviceStory();
        }

        story.Note(told.Event, told.Digest ?? "", told.Boot ?? "", told.Reason ?? "");
    }

    private sealed record Line(string Device, string Event, string? Digest, string? Boot, string? Reason);
}

/// <summary>What one device says happened to it.</summary>
internal sealed class DeviceStory
{
    private readonly HashSet<string> _refusals = new(StringComparer.Ordinal);

    /// <summary>By digest.</summary>
    public Dictionary<string, int> Installs { get; } = new(StringComparer.Ordinal);

    /// <summary>Boot and digest of its newest hello that was acknowledged; the boot is empty before the first.</summary>
    public (string Boot, string Digest) Hello { get; private set; } = ("", "");

    /// <summary>The digest that ran when its settings were acknowledged; null before the first.</summary>
    public string? InventoryDigest { get; private set; }

    /// <summary>How often it has set what it was told to set.</summary>
    public int SettingsApplied { get; private set; }

    public bool IsErased { get; private set; }

    public bool IsTombstone { get; private set; }

    /// <summary>It was a tombstone and was let in.</summary>
    public bool IsLetIn { get; private set; }

    public bool IsRefusedFor(string reason) => _refusals.Any(refusal => refusal.Contains(reason, StringComparison.Ordinal));

    public void Note(string name, string digest, string boot, string reason)
    {
        switch (name)
        {
            case "hello_acked":
                Hello = (boot, digest);
                break;
            case "inventory_acked":
                InventoryDigest = digest;
                break;
            case "installed":
                Installs[digest] = Installs.GetValueOrDefault(digest) + 1;
                break;
            case "settings_applied":
                SettingsApplied++;
                break;
            case "erased":
                IsErased = true;
                break;
            case "refused" or "rejected":
                _refusals.Add(reason);
                break;
            case "tombstone_refused":
                IsTombstone = true;
                break;
            case "tombstone_let_in":
                IsLetIn = true;
                break;
            default:
                break;
        }
    }
}
