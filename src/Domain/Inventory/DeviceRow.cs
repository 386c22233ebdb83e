using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-row")]
public sealed record DeviceRow : InventoryRow
{
    [Id(0)] public required DeviceState State { get; init; }

    [Id(1)] public required string Model { get; init; }

    [Id(2)] public required string Site { get; init; }

    [Id(3)] public required string Track { get; init; }

    /// <summary>Empty before the first hello.</summary>
    [Id(4)] public required string OsVersion { get; init; }

    [Id(5)] public required string ImageDigest { get; init; }

    [Id(6)] public required string BootId { get; init; }

    [Id(7)] public required ComplianceState Compliance { get; init; }

    [Id(8)] public required long Generation { get; init; }

    /// <summary>The rollout whose change is in progress; empty for none.</summary>
    [Id(9)] public required string Rollout { get; init; }

    [Id(10)] public required DateTimeOffset StateChangedAt { get; init; }

    public override string? Field(string field) => field switch
    {
        "name" => Name,
        "state" => State.ToString(),
        "model" => Model,
        "site" => Site,
        "track" => Track,
        "os_version" => OsVersion,
        "image_digest" => ImageDigest,
        "compliance" => Compliance.ToString(),
        "rollout" => Rollout,
        _ => null,
    };

    /// <summary>The row of a device as it is.</summary>
    public static DeviceRow Of(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceRow
        {
            Tenant = device.Tenant,
            Name = device.Id.Value,
            State = device.State,
            Model = device.Model.Length > 0 ? device.Model : device.Expected.Model,
            Site = device.Expected.Site,
            Track = device.Track,
            OsVersion = device.Os?.Version ?? "",
            ImageDigest = device.Os?.ImageDigest ?? "",
            BootId = device.Os?.BootId ?? "",
            Compliance = device.Compliance.State,
            Generation = device.Desired.Generation,
            Rollout = device.Change is { } change ? change.Rollout.Value : "",
            StateChangedAt = device.StateChangedAt,
        };
    }
}
