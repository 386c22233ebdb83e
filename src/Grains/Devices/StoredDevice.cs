using Orleans.Core;
using Orleans.Storage;

namespace Muster.Grains.Devices;

/// <summary>
/// A device's record and how it is read and written. The bridge of the framework holds a state beside itself, in each of a million devices,
/// and measures and logs around each commit; whoever commits is told what went wrong, and the store's own figures have the rest.
/// </summary>
internal sealed class StoredDevice(IGrainStorage storage, GrainId id) : IStorage<DeviceRecord>, IGrainState<DeviceRecord>
{
    private const string Name = "device";

    private DeviceRecord _state = new();

    [AllowNull]
    public DeviceRecord State
    {
        get => _state;
        set => _state = value ?? new DeviceRecord();
    }

    [AllowNull]
    public string ETag { get; set; } = "";

    public bool RecordExists { get; set; }

    string IStorage.Etag => ETag;

    public Task ReadStateAsync() => storage.ReadStateAsync(Name, id, this);

    public Task WriteStateAsync() => storage.WriteStateAsync(Name, id, this);

    public Task ClearStateAsync() => storage.ClearStateAsync(Name, id, this);
}
