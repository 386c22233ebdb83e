using System.Collections.Immutable;

namespace Muster.Simulator.Devices;

/// <summary>What a virtual device keeps over a loss of power; one line of the state file.</summary>
internal sealed record DeviceMemory(string Serial, string Model, string OsVersion)
{
    /// <summary>SHA-256 of the running image; empty for what the factory installed.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Grows with every boot; the boot id is made of it.</summary>
    public int Boot { get; init; }

    public bool FactoryDefault { get; init; } = true;

    /// <summary>The highest desired generation taken over.</summary>
    public long Generation { get; init; }

    /// <summary>The generation that failed here for good; it is not tried again.</summary>
    public long FailedGeneration { get; init; }

    /// <summary>The highest desired generation whose settings were applied.</summary>
    public long AppliedGeneration { get; init; }

    /// <summary>The settings that are not as the factory left them.</summary>
    public ImmutableDictionary<string, string> Changed { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The nonce of the command that erased the device; empty before that.</summary>
    public string ErasedNonce { get; init; } = "";

    /// <summary>The server refused it as a tombstone; it does not connect again.</summary>
    public bool IsRetired { get; init; }

    public string BootId => $"boot-{Boot}";
}
