namespace Muster.Domain.Devices;

/// <summary>What a one-shot command asks for.</summary>
public enum CommandKind
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Erase everything, return to the factory-default state, and answer with a signed proof.</summary>
    FactoryDefault = 1,
}

/// <summary>
/// A one-shot command. The nonce (32 lower-case hex digits) makes its answer unforgeable and its repetition harmless; the
/// device ignores it after it expired.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.device-command")]
public sealed record DeviceCommand(
    [property: Id(0)] CommandKind Kind,
    [property: Id(1)] string Nonce,
    [property: Id(2)] DateTimeOffset IssuedAt,
    [property: Id(3)] DateTimeOffset ExpiresAt)
{
    /// <summary>
    /// The boot that the device was in when its record took the command; empty when it had named none. Erasing takes a boot: an answer
    /// that says it is done comes from another one.
    /// </summary>
    [Id(4)] public string IssuedInBoot { get; init; } = "";
}
