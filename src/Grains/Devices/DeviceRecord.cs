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

    public object? Cold => Device?.Settings;

    public CommitAttachments Attachments { get; private init; } = CommitAttachments.None;

    public ICommitRecord WithCold(object? cold) => cold switch
    {
        // A device that never named its settings has no cold part; what was read has no set either.
        null => Device is null ? this : this with { Device = Device with { Settings = SettingSet.Empty } },
        SettingSet settings when Device is not null => this with { Device = Device with { Settings = settings } },
        DeviceSettings settings when Device is not null =>
            this with { Device = Device with { Settings = SettingSet.Of(settings.Values.AsSpan()) } },
        _ => throw new InvalidOperationException($"A {cold.GetType().Name} is no cold part of a device."),
    };

    public DeviceRecord Attach(CommitAttachments attachments) => this with { Attachments = attachments };

    public InventoryRow? ToRow(bool withCold) => Device is null ? null : DeviceRow.Of(Device, withCold);

    public DateTimeOffset? NextDueAt() => null;
}

/// <summary>The cold part of a device as versions before <see cref="SettingSet"/> wrote it; read, never written.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-settings")]
internal sealed record DeviceSettings([property: Id(0)] ImmutableArray<DeviceSetting> Values);
