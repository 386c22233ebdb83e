using Muster.Domain.Identity;

namespace Muster.Domain.Devices;

/// <summary>Where an up message comes from.</summary>
/// <param name="Identity">Proved by the TLS handshake.</param>
/// <param name="Stamp">Boot id and sequence.</param>
/// <param name="Epoch">Of the receiving session it came by; 0 when it came by one that only publishes.</param>
public sealed record MessageOrigin(DeviceIdentity Identity, MessageStamp Stamp, long Epoch);

/// <summary>A hello.</summary>
/// <param name="Serial">What the payload claims; it may only agree with the certificate.</param>
/// <param name="Generation">The highest desired generation that the device has taken over.</param>
public sealed record ObservedHello(MessageOrigin Origin, string Serial, string Model, ReportedOs Os, long Generation);

/// <summary>A report of progress or failure.</summary>
/// <param name="Outcome"><see cref="ChangeOutcome.Unspecified"/> for progress; else Failed or Rejected.</param>
public sealed record ObservedProgress(MessageOrigin Origin, long Generation, ChangeStep Step, ChangeOutcome Outcome, string Reason);

/// <summary>All settings of the device.</summary>
public sealed record ObservedInventory(MessageOrigin Origin, ImmutableArray<DeviceSetting> Settings)
{
    /// <summary>The highest desired generation whose settings were applied before these were read; 0 when it does not say.</summary>
    public long Generation { get; init; }
}

/// <summary>The answer to a one-shot command.</summary>
/// <param name="Proof">For an erasure: the signature over the canonical proof.</param>
public sealed record ObservedResult(MessageOrigin Origin, string Nonce, bool Succeeded, string Reason, ImmutableArray<byte> Proof);
