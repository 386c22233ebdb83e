using System.Collections.Immutable;
using Google.Protobuf;
using Muster.Protocol;
using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Devices;

/// <summary>
/// The decisions of one device, without I/O: every input gives the steps to take. The start of the process counts as a boot, so
/// that only what a real device would keep in flash has to be kept.
/// </summary>
internal sealed partial class VirtualDevice
{
    private readonly Func<string, string, byte[]> _prove;
    private readonly Dictionary<string, long> _sequences = [];
    private readonly Dictionary<string, (Stamp Stamp, IMessage Message)> _unacknowledged = [];
    private readonly IReadOnlyList<Setting> _settings;
    private readonly DeviceTraits _traits;
    private long _working;
    private bool _inventorySent;

    /// <param name="memory">What the device remembers of its last boot.</param>
    /// <param name="settings">What its inventory says as it comes from the factory.</param>
    /// <param name="prove">Signs the erasure of a nonce in a boot.</param>
    /// <param name="traits">How it differs from a sound device; null when it does not.</param>
    public VirtualDevice(
        DeviceMemory memory, IReadOnlyList<Setting> settings, Func<string, string, byte[]> prove, DeviceTraits? traits = null)
    {
        (_settings, _prove, _traits) = (settings, prove, traits ?? DeviceTraits.Sound);
        Memory = memory;
        Boot(memory);
    }

    public DeviceMemory Memory { get; private set; }

    /// <summary>A connection stands: the newest of each kind is said again until acknowledged.</summary>
    public IEnumerable<DeviceStep> Connected()
    {
        if (!_unacknowledged.ContainsKey(Topics.Hello))
        {
            var stamp = Next(Topics.Hello);
            Await(Topics.Hello, stamp, Hello(stamp));
        }

        yield return new DeviceStep.Tell(Memory.IsRetired ? "tombstone_let_in" : "connected", Boot: Memory.BootId);
        yield return new DeviceStep.Publish(Topics.Hello, _unacknowledged[Topics.Hello].Message);
        foreach (var kind in new[] { Topics.Report, Topics.Inventory })
        {
            if (_unacknowledged.TryGetValue(kind, out var waiting))
            {
                yield return new DeviceStep.Publish(kind, waiting.Message);
            }
        }

        if (Memory.ErasedNonce.Length > 0)
        {
            yield return Result();
        }
    }

    public IEnumerable<DeviceStep> Acknowledged(Ack ack)
    {
        if (!_unacknowledged.TryGetValue(ack.Kind, out var waiting) || !waiting.Stamp.Equals(ack.Stamp))
        {
            yield break;
        }

        _unacknowledged.Remove(ack.Kind);
        if (ack.Kind == Topics.Inventory)
        {
            yield return new DeviceStep.Tell("inventory_acked", Memory.Digest, Memory.BootId);
        }

        if (ack.Kind != Topics.Hello)
        {
            yield break;
        }

        yield return new DeviceStep.Tell("hello_acked", Memory.Digest, Memory.BootId);
        if (!_inventorySent)
        {
            _inventorySent = true;
            yield return SayInventory();
        }
    }

    /// <summary>What is refused for ever is not repeated.</summary>
    public IEnumerable<DeviceStep> Rejected(Rejection rejection)
    {
        if (_unacknowledged.TryGetValue(rejection.Kind, out var waiting) && waiting.Stamp.Equals(rejection.Stamp))
        {
            _unacknowledged.Remove(rejection.Kind);
        }

        yield return new DeviceStep.Tell("rejected", Boot: Memory.BootId, Reason: $"{rejection.Kind}: {rejection.Reason}");
    }

    /// <summary>
    /// An older generation is ignored; one with neither an image nor settings says: leave the device as it is. What is not installed by
    /// then is given up, and the report of the newer generation says so; what is, is told by the hello of its boot.
    /// </summary>
    /// <param name="desired">What it is told.</param>
    /// <param name="now">By its clock.</param>
    public IEnumerable<DeviceStep> Desired(Desired desired, DateTimeOffset now = default)
    {
        var isNews = desired.Generation > Memory.Generation;
        if (desired.Generation < Memory.Generation || Memory.ErasedNonce.Length > 0)
        {
            yield break;
        }

        _installTimes = desired.InstallTimes;
        if (isNews)
        {
            (_working, _verified) = (0, null);
            Memory = Memory with { Generation = desired.Generation, FactoryDefault = false };
            yield return new DeviceStep.Save();
        }

        if (desired.Settings.Count > 0)
        {
            foreach (var step in Set(desired, isNews, now))
            {
                yield return step;
            }

            yield break;
        }

        // What it waits for may be another time now.
        var isKnown = desired.Os is not null && (_working == desired.Generation || Memory.FailedGeneration == desired.Generation);
        foreach (var step in isKnown ? Install(desired.Generation, now) : Fetch(desired, isNews))
        {
            yield return step;
        }
    }

    private IEnumerable<DeviceStep> Fetch(Desired desired, bool isNews)
    {
        if (isNews)
        {
            yield return Report(desired.Generation, Step.Delivered);
        }

        if (desired.Os is not { } target)
        {
            yield break;
        }

        if (target.Digest != Memory.Digest)
        {
            _working = desired.Generation;
            yield return Report(desired.Generation, Step.Downloading);

            // The spread counts from when the generation was new; whoever comes back for another link has waited.
            var delay = TimeSpan.FromSeconds(isNews ? target.DelaySeconds : 0);
            yield return new DeviceStep.Fetch(desired.Generation, target, delay);
        }
    }

    /// <summary>
    /// The way to the image is not good any more: the answer to a hello has another, and what is there of the image stays.
    /// </summary>
    public IEnumerable<DeviceStep> LinkEnded(long generation)
    {
        if (_working == generation)
        {
            _working = 0;
            yield return new DeviceStep.Tell("link_ended", Boot: Memory.BootId);
            yield return new DeviceStep.Reboot();
        }
    }

    public IEnumerable<DeviceStep> Downloaded(long generation, OsTarget target)
    {
        if (_working == generation)
        {
            yield return new DeviceStep.Tell("downloaded", target.Digest, Memory.BootId);
            yield return Report(generation, Step.Verifying);
        }
    }

    /// <summary>Installs it, or waits until it may; a generation that is no longer wanted is dropped.</summary>
    public IEnumerable<DeviceStep> Verified(long generation, OsTarget target, DateTimeOffset now = default)
    {
        if (_working != generation)
        {
            return [];
        }

        _verified = target;
        return Install(generation, now).Prepend(new DeviceStep.Tell("verified", target.Digest, Memory.BootId));
    }

    private IEnumerable<DeviceStep> Install(long generation, OsTarget target)
    {
        yield return Report(generation, Step.Installing);
        yield return Report(generation, Step.Rebooting);
        Boot(Memory with { Digest = target.Digest, OsVersion = target.Version });
        yield return new DeviceStep.Save();
        if (_traits.Fault != DeviceFault.LyingDigest)
        {
            yield return new DeviceStep.Tell("installed", target.Digest, Memory.BootId);
        }

        if (_traits.Fault == DeviceFault.DuplicateInstall)
        {
            Boot(Memory);
            yield return new DeviceStep.Save();
            yield return new DeviceStep.Tell("installed", target.Digest, Memory.BootId);
        }

        yield return new DeviceStep.Reboot();
    }

    /// <summary>The device's own word that it will not run the image of a generation.</summary>
    public IEnumerable<DeviceStep> Failed(long generation, string reason, bool isRefusal)
    {
        if (_working != generation)
        {
            yield break;
        }

        _working = 0;
        Memory = Memory with { FailedGeneration = generation };
        yield return new DeviceStep.Save();
        yield return new DeviceStep.Tell(isRefusal ? "image_refused" : "download_failed", Boot: Memory.BootId, Reason: reason);
        yield return Report(generation, isRefusal ? Step.Rejected : Step.Failed, reason);
    }

    /// <summary>Does one nonce once: the same again gives the same proof again, in the boot that is.</summary>
    public IEnumerable<DeviceStep> Commanded(Command command, DateTimeOffset now)
    {
        if (command.Kind != CommandKind.FactoryDefault || command.Nonce.Length == 0)
        {
            yield break;
        }

        if (command.Nonce == Memory.ErasedNonce)
        {
            yield return Result();
            yield break;
        }

        if (command.ExpiresAt is null || command.ExpiresAt.ToDateTimeOffset() < now)
        {
            yield return new DeviceStep.Tell("command_expired", Boot: Memory.BootId);
            yield break;
        }

        Boot(Memory with
        {
            FactoryDefault = true,
            Generation = 0,
            FailedGeneration = 0,
            AppliedGeneration = 0,
            Changed = ImmutableDictionary<string, string>.Empty,
            ErasedNonce = command.Nonce,
        });
        yield return new DeviceStep.Save();
        if (_traits.Fault != DeviceFault.UnprovenErasure)
        {
            yield return new DeviceStep.Tell("erased", Memory.Digest, Memory.BootId);
        }

        yield return new DeviceStep.Reboot();
    }

    /// <summary>A connection was refused; a tombstone gives up.</summary>
    public IEnumerable<DeviceStep> Refused(bool isTombstone, string reason)
    {
        if (!isTombstone)
        {
            yield return new DeviceStep.Tell("refused", Boot: Memory.BootId, Reason: reason);
            yield break;
        }

        Memory = Memory with { IsRetired = true };
        yield return new DeviceStep.Save();
        if (_traits.Fault != DeviceFault.TombstoneLetIn)
        {
            yield return new DeviceStep.Tell("tombstone_refused", Boot: Memory.BootId, Reason: reason);
        }
    }

    public Status Status(TimeSpan uptime) => new()
    {
        Stamp = Next(Topics.Status),
        UptimeSeconds = (long)uptime.TotalSeconds,
        TemperatureCelsius = 40,
    };

    private void Boot(DeviceMemory memory)
    {
        Memory = memory with { Boot = memory.Boot + 1 };
        _sequences.Clear();
        _unacknowledged.Clear();
        (_working, _inventorySent, _verified) = (0, false, null);
    }

    private DeviceStep.Publish Report(long generation, Step step, string reason = "")
    {
        var stamp = Next(Topics.Report);
        var report = new Report { Stamp = stamp, Generation = generation, Step = step, Reason = reason };
        Await(Topics.Report, stamp, report);
        return new DeviceStep.Publish(Topics.Report, report);
    }

    private DeviceStep.Publish Result()
    {
        if (!_unacknowledged.TryGetValue(Topics.Result, out var waiting))
        {
            var stamp = Next(Topics.Result);
            var nonce = _traits.Fault == DeviceFault.UnprovenErasure ? "another" : Memory.ErasedNonce;
            var proof = ByteString.CopyFrom(_prove(nonce, Memory.BootId));
            waiting = (stamp, new Result { Stamp = stamp, Nonce = Memory.ErasedNonce, Succeeded = true, Proof = proof });
            _unacknowledged[Topics.Result] = waiting;
        }

        return new DeviceStep.Publish(Topics.Result, waiting.Message);
    }

    private Hello Hello(Stamp stamp) => new()
    {
        Stamp = stamp,
        Serial = Memory.Serial,
        Model = Memory.Model,
        OsVersion = Memory.OsVersion,
        ImageDigest = Memory.Digest,
        SecureBoot = _traits.SecureBoot,
        FactoryDefault = Memory.FactoryDefault,
        Generation = Memory.Generation,
    };

    private void Await(string kind, Stamp stamp, IMessage message) => _unacknowledged[kind] = (stamp, message);

    private Stamp Next(string kind) =>
        new() { BootId = Memory.BootId, Sequence = _sequences[kind] = _sequences.GetValueOrDefault(kind) + 1 };
}
