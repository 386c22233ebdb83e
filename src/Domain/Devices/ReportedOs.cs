namespace Muster.Domain.Devices;

/// <summary>What a device says it is running; always taken as it is, whatever generation it names.</summary>
/// <param name="Version">The OS version as the vendor writes it, for example <c>12.11.77</c>.</param>
/// <param name="ImageDigest">SHA-256 of the running image, 64 lower-case hex digits; empty when the device does not know it.</param>
/// <param name="BootId">Changes with every boot (at most 64 characters).</param>
/// <param name="SecureBoot">True when the device claims an unbroken secure boot.</param>
/// <param name="FactoryDefault">True while the device is in its factory-default state.</param>
[GenerateSerializer, Immutable, Alias("muster.reported-os")]
public sealed record ReportedOs(
    [property: Id(0)] string Version,
    [property: Id(1)] string ImageDigest,
    [property: Id(2)] string BootId,
    [property: Id(3)] bool SecureBoot,
    [property: Id(4)] bool FactoryDefault)
{
    /// <summary>A certificate lets this one unit run an image of its maker that is not for production.</summary>
    [Id(55)] public bool CustomFirmwareCertificate { get; init; }
}

/// <summary>
/// The number of an up message: counted per boot and kind, from 1. Together with the boot id it tells a repetition from news.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.message-stamp")]
public readonly record struct MessageStamp([property: Id(0)] string BootId, [property: Id(1)] long Sequence);

/// <summary>The kinds of message that a device sends; each has its own sequence.</summary>
public enum UpKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Who and what I am.</summary>
    Hello = 1,

    /// <summary>Cheap health; may be lost.</summary>
    Status = 2,

    /// <summary>Progress and outcome of the current generation.</summary>
    Report = 3,

    /// <summary>Settings and applications.</summary>
    Inventory = 4,

    /// <summary>The answer to a one-shot command.</summary>
    Result = 5,
}
