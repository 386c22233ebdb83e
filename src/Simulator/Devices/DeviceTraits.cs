namespace Muster.Simulator.Devices;

/// <summary>How a device differs from one that is as it should be.</summary>
internal sealed record DeviceTraits
{
    public static DeviceTraits Sound { get; } = new();

    /// <summary>What its hello says of secure boot.</summary>
    public bool SecureBoot { get; init; } = true;

    public DeviceFault Fault { get; init; }
}

/// <summary>What a device does wrong on purpose, so that whoever compares its log with the server's word has to notice.</summary>
internal enum DeviceFault
{
    None,

    /// <summary>Its hello names an image that it did not install.</summary>
    LyingDigest,

    /// <summary>It answers the order to erase itself with a proof that proves nothing.</summary>
    UnprovenErasure,

    /// <summary>It comes back as somebody else once it is a tombstone, and is let in.</summary>
    TombstoneLetIn,

    /// <summary>It installs an image twice.</summary>
    DuplicateInstall,

    /// <summary>It says that it has applied settings, and has not.</summary>
    LyingSettings,
}
