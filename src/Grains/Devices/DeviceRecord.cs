using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Devices;

/// <summary>A device as stored: the settings are its cold part, written only when they changed.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-record")]
internal sealed record DeviceRecord : IGrainRecord<DeviceRecord>
{
    /// <summary>Null before the first commit.</summary>
    [Id(0)] public Device? Device { get; init; }

    public object? Cold => Device is null ? null : new DeviceSettings(Device.Settings);

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => cold switch
    {
        // A device that never named its settings has no cold part; what was read has no array either.
        null => Device is null ? this : this with { Device = Device with { Settings = [] } },
        DeviceSettings settings when Device is not null => this with { Device = Device with { Settings = settings.Values } },
        _ => throw new InvalidOperationException($"A {cold.GetType().Name} is no cold part of a device."),
    };

    public DeviceRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Device is null ? null : DeviceRow.Of(Device, withCold);

    public DateTimeOffset? NextDueAt() => null;
}

/// <summary>The cold part of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-settings")]
internal sealed record DeviceSettings([property: Id(0)] ImmutableArray<DeviceSetting> Values);
