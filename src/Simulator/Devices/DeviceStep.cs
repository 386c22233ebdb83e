using Google.Protobuf;
using Muster.Protocol.Device.V1;

namespace Muster.Simulator.Devices;

/// <summary>What the shell of a virtual device has to do next, in order.</summary>
internal abstract record DeviceStep
{
    /// <summary>Keep the memory before anything after it.</summary>
    public sealed record Save : DeviceStep;

    /// <summary>Publish at QoS 1; a repetition carries the same stamp.</summary>
    public sealed record Publish(string Kind, IMessage Message) : DeviceStep;

    /// <summary>Wait, download and verify, then tell the device the outcome.</summary>
    public sealed record Fetch(long Generation, OsTarget Target, TimeSpan Delay) : DeviceStep;

    /// <summary>Go on with this when it is as late as that.</summary>
    public sealed record Wait(DateTimeOffset Until, Func<DateTimeOffset, IEnumerable<DeviceStep>> Then) : DeviceStep;

    /// <summary>Drop the connection and come back.</summary>
    public sealed record Reboot : DeviceStep;

    /// <summary>A line of the fleet's log.</summary>
    public sealed record Tell(string Event, string Digest = "", string Boot = "", string Reason = "") : DeviceStep;
}
