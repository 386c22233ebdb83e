using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Decommissioning;

/// <summary>
/// Decides what follows an approval: the device's record gets the command, the device is looked at with growing intervals, an
/// expired command is issued anew a bounded number of times, and only evidence ends it (I9).
/// </summary>
public static class ErasureRules
{
    /// <summary>The erasure right after the approval: the command is to be handed over at once.</summary>
    public static Erasure Begin(DeviceCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(command);
        return new Erasure(command, [command.Nonce], HandedOver: false, Looks: 0, NextLookAt: now, StalledReason: "");
    }

    /// <summary>A factory-default command that is issued now.</summary>
    public static DeviceCommand NewCommand(string nonce, DateTimeOffset now) =>
        new(CommandKind.FactoryDefault, nonce, now, now + Erasure.CommandLifetime);

    /// <summary>
    /// The device's record answered the command: it has it, it is a tombstone already, or it refused (then it is tried again).
    /// </summary>
    public static Decision<Decommission> HandOver(Decommission current, Device? device, FleetError? refusal, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        if (Waiting(current) is not { HandedOver: false } erasure)
        {
            return Decision.Unchanged(current);
        }

        if (device is { State: DeviceState.Decommissioned })
        {
            return Finish(current, erasure, device, now);
        }

        if (refusal is not null || device is null)
        {
            return refusal?.Kind is ErrorKind.NotFound
                ? Stall(current, erasure, refusal.Reason)
                : Wait(current, erasure, now);
        }

        return Decision.Accept(
            current with { Erasure = erasure with { HandedOver = true, Looks = 0, NextLookAt = now + Erasure.Interval(0) } },
            new ErasureOrdered(current.Device, erasure.Command.Nonce));
    }

    /// <summary>
    /// Looks at the device. <paramref name="fresh"/> is the command to issue when the one on record expired.
    /// </summary>
    public static Decision<Decommission> Look(Decommission current, Device? device, DeviceCommand fresh, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(fresh);
        if (Waiting(current) is not { } erasure)
        {
            return Decision.Unchanged(current);
        }

        if (device is { State: DeviceState.Decommissioned })
        {
            return Finish(current, erasure, device, now);
        }

        if (now < erasure.Command.ExpiresAt)
        {
            return Wait(current, erasure, now);
        }

        if (erasure.Nonces.Length >= Erasure.CommandsMax)
        {
            return Stall(
                current, erasure, string.Create(CultureInfo.InvariantCulture, $"{Erasure.CommandsMax} commands expired without an answer"));
        }

        var nonces = erasure.Nonces.Add(fresh.Nonce);
        return Decision.Accept(
            current with { Erasure = Begin(fresh, now) with { Nonces = nonces } },
            new ErasureReissued(current.Device, fresh.Nonce, nonces.Length));
    }

    /// <summary>When the decommission wants to be looked at; null while it waits for people or has ended.</summary>
    public static DateTimeOffset? NextDueAt(Decommission? decommission) =>
        decommission is not null ? Waiting(decommission)?.NextLookAt : null;

    private static Erasure? Waiting(Decommission current) =>
        current is { State: DecommissionState.Erasing, Erasure: { StalledReason.Length: 0 } erasure } ? erasure : null;

    private static Decision<Decommission> Finish(Decommission current, Erasure erasure, Device device, DateTimeOffset now)
    {
        // A tombstone whose proof answers none of our commands is no evidence for this approval.
        if (device.Erasure is not { } evidence || evidence.Proof.IsDefaultOrEmpty || !erasure.Nonces.Contains(evidence.Nonce))
        {
            return Stall(current, erasure, "the device is a tombstone without evidence for this approval");
        }

        return Decision.Accept(
            current with
            {
                State = DecommissionState.Completed,
                StateChangedAt = now,
                CompletedAt = now,
                Evidence = evidence,
                Erasure = erasure with { NextLookAt = null },
            },
            new DecommissionCompleted(current.Device, current.Cause, current.Campaign, evidence));
    }

    private static Decision<Decommission> Wait(Decommission current, Erasure erasure, DateTimeOffset now)
    {
        var next = now + Erasure.Interval(erasure.Looks + 1);
        return Decision.Accept(
            current with { Erasure = erasure with { Looks = erasure.Looks + 1, NextLookAt = next } },
            new ErasureAwaited(current.Device, erasure.Command.Nonce, next));
    }

    private static Decision<Decommission> Stall(Decommission current, Erasure erasure, string reason) => Decision.Accept(
        current with { Erasure = erasure with { NextLookAt = null, StalledReason = reason } },
        new ErasureStalled(current.Device, reason));
}
