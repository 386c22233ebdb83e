using Muster.Protocol;
using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Devices;

/// <summary>Settings that are set without a reboot: what the inventory says afterwards decides.</summary>
internal sealed partial class VirtualDevice
{
    /// <summary>The device has no setting of that name; the same generation is not tried again.</summary>
    private const string SettingRefused = "SETTING_REFUSED";

    private IEnumerable<DeviceStep> Set(Desired desired, bool isNews, DateTimeOffset now)
    {
        var generation = desired.Generation;
        if (generation != Memory.Generation || Memory.AppliedGeneration == generation || Memory.FailedGeneration == generation)
        {
            yield break;
        }

        if (isNews)
        {
            yield return Report(generation, Step.Delivered);
        }

        if (desired.Settings.Any(wanted => _settings.All(setting => setting.Name != wanted.Name)))
        {
            Memory = Memory with { FailedGeneration = generation };
            yield return new DeviceStep.Save();
            yield return new DeviceStep.Tell("settings_refused", Boot: Memory.BootId, Reason: SettingRefused);
            yield return Report(generation, Step.Rejected, SettingRefused);
            yield break;
        }

        if (Wait(now, later => Set(desired, isNews: false, later)) is { } waits)
        {
            foreach (var step in waits)
            {
                yield return step;
            }

            yield break;
        }

        yield return Report(generation, Step.Installing);
        var isHonest = _traits.Fault != DeviceFault.LyingSettings;
        Memory = Memory with
        {
            AppliedGeneration = generation,
            Changed = isHonest
                ? Memory.Changed.SetItems(desired.Settings.Select(wanted => KeyValuePair.Create(wanted.Name, wanted.Value)))
                : Memory.Changed,
        };
        yield return new DeviceStep.Save();
        if (isHonest)
        {
            yield return new DeviceStep.Tell("settings_applied", Boot: Memory.BootId);
        }

        yield return SayInventory();
    }

    private DeviceStep.Publish SayInventory()
    {
        var stamp = Next(Topics.Inventory);
        var inventory = new Inventory { Stamp = stamp, Generation = Memory.AppliedGeneration };
        inventory.Settings.AddRange(_settings.Select(setting => new Setting
        {
            Name = setting.Name,
            Value = Memory.Changed.GetValueOrDefault(setting.Name, setting.Value),
        }));
        Await(Topics.Inventory, stamp, inventory);
        return new DeviceStep.Publish(Topics.Inventory, inventory);
    }
}
