using Muster.Domain.Decommissioning;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Trust;

namespace Muster.Domain.Devices;

/// <summary>Decides how a device moves through its life (design.md §4).</summary>
public static class DeviceLifecycle
{
    /// <summary>A sentence: it stands in every list of the device's history.</summary>
    public const int CauseLengthMax = 200;

    /// <summary>Product names are short; a bound for rows and messages.</summary>
    public const int ModelLengthMax = 100;

    /// <summary>A label, not an address.</summary>
    public const int SiteLengthMax = 100;

    /// <summary>A UUID with room to spare (AIP-155).</summary>
    public const int RequestIdLengthMax = 64;

    /// <summary>Puts a device on the delivery list; the same request again is answered with the device as it is now.</summary>
    public static Decision<Device?> Expect(Device? current, Device expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        if (current is null)
        {
            return CheckSpec(expected) is { } invalid
                ? Decision.Refuse(current, invalid)
                : Decision.Accept<Device?>(expected, new DeviceExpected(expected.Expected));
        }

        var isSame = current.RequestId == expected.RequestId
            && current.Expected == expected.Expected && IsSameCertificate(current, expected);
        if (isSame)
        {
            // A list that is repeated brings nothing back that was withdrawn from it.
            return Decision.Unchanged<Device?>(current);
        }

        if (current.State == DeviceState.Withdrawn)
        {
            return CheckSpec(expected) is { } invalid
                ? Decision.Refuse<Device?>(current, invalid)
                : Decision.Accept<Device?>(
                    expected with { Boots = current.Boots, Epoch = current.Epoch }, new DeviceExpected(expected.Expected));
        }

        if (current.RequestId == expected.RequestId)
        {
            return Decision.Refuse<Device?>(current, RequestErrors.IdReused(expected.RequestId));
        }

        return Decision.Refuse<Device?>(current, current.State switch
        {
            DeviceState.Decommissioned => DeviceErrors.Tombstone(current.Id),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or
            DeviceState.Decommissioning or DeviceState.Returned or DeviceState.Withdrawn => DeviceErrors.Exists(current.Id),
            _ => throw Unknown(current),
        });
    }

    /// <summary>An operator approves an enrolment that waits.</summary>
    /// <param name="device">As committed.</param>
    /// <param name="certificateSha256">The certificate that he has seen; null for whichever it enrols with.</param>
    /// <param name="now">The time.</param>
    public static Decision<Device> Approve(Device device, Sha256Hash? certificateSha256, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.State switch
        {
            DeviceState.Enrolling when certificateSha256 is { } seen
                && EnrollmentRules.CheckSeen(device.Identity!, seen) is { } unseen => Decision.Refuse(device, unseen),
            DeviceState.Enrolling => Decision.Accept(
                Move(device, DeviceState.InService, now) with { ExpectedCertificateSha256 = null, Refusals = [] },
                new DeviceEnrolled(EnrollmentApproval.Manual)),
            // A retried command is not an error: the caller may have lost our first answer.
            DeviceState.InService => Decision.Unchanged(device),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.Expected or DeviceState.Quarantined or DeviceState.Decommissioning
                or DeviceState.Returned or DeviceState.Withdrawn =>
                Decision.Refuse(device, DeviceErrors.StateInvalid(device, DeviceState.Enrolling)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>An operator denies an enrolment that waits: the device is expected as before, and says hello anew.</summary>
    public static Decision<Device> Deny(Device device, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (CheckCause(cause) is { } invalid)
        {
            return Decision.Refuse(device, invalid);
        }

        return device.State switch
        {
            DeviceState.Enrolling => Decision.Accept(
                Move(device, DeviceState.Expected, now) with { Identity = null, Enrollment = null, LastHello = null },
                new DeviceEnrollmentDenied(cause)),
            DeviceState.Expected => Decision.Unchanged(device),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.InService or DeviceState.Quarantined or DeviceState.Decommissioning
                or DeviceState.Returned or DeviceState.Withdrawn =>
                Decision.Refuse(device, DeviceErrors.StateInvalid(device, DeviceState.Enrolling)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>
    /// An operator takes back what he expected: a line of a list was wrong, or the delivery is another's. Only while the device has proved
    /// nothing; what is enrolled ends by its decommission.
    /// </summary>
    public static Decision<Device> Withdraw(Device device, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (CheckCause(cause) is { } invalid)
        {
            return Decision.Refuse(device, invalid);
        }

        return device.State switch
        {
            DeviceState.Expected => Decision.Accept(Move(device, DeviceState.Withdrawn, now), new DeviceWithdrawn(cause)),
            DeviceState.Withdrawn => Decision.Unchanged(device),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Decommissioning
                or DeviceState.Returned => Decision.Refuse(device, DeviceErrors.StateInvalid(device, DeviceState.Expected)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>
    /// Sets a device apart; a change in progress leaves its rollout. An operator's order takes over a rule's, which might release it.
    /// </summary>
    public static Decision<Device> Quarantine(Device device, string cause, DateTimeOffset now, Actor? by = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (CheckCause(cause) is { } invalid)
        {
            return Decision.Refuse(device, invalid);
        }

        return device.State switch
        {
            DeviceState.Quarantined when device.Quarantine?.By.Kind == ActorKind.Rule && by?.Kind == ActorKind.Operator =>
                Decision.Accept(device with { Quarantine = OrderOf(by, cause, now) }, new DeviceQuarantined(cause)),
            DeviceState.Quarantined => Decision.Unchanged(device),
            DeviceState.InService => Leave(
                device with { Quarantine = OrderOf(by, cause, now) },
                DeviceState.Quarantined,
                new DeviceQuarantined(cause),
                "DEVICE_QUARANTINED",
                now),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.Decommissioning or DeviceState.Returned or DeviceState.Withdrawn =>
                Decision.Refuse(device, DeviceErrors.NotInService(device)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>Takes a quarantined device back.</summary>
    public static Decision<Device> Release(Device device, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (CheckCause(cause) is { } invalid)
        {
            return Decision.Refuse(device, invalid);
        }

        return device.State switch
        {
            DeviceState.InService => Decision.Unchanged(device),
            DeviceState.Quarantined => ReleaseBy(device, null, cause, now),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.Decommissioning or DeviceState.Returned or DeviceState.Withdrawn =>
                Decision.Refuse(device, DeviceErrors.StateInvalid(device, DeviceState.Quarantined)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>
    /// The device gets the command that erases it. The same nonce again changes nothing; another one replaces a command that was
    /// not answered. A tombstone stays as it is.
    /// </summary>
    public static Decision<Device> BeginDecommission(Device device, DeviceCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(command);
        var issued = command with { IssuedInBoot = device.Boots.LastOrDefault()?.BootId ?? "" };
        switch (device.State)
        {
            case DeviceState.Decommissioned:
                return Decision.Unchanged(device);
            case DeviceState.Decommissioning:
                return device.Command?.Nonce == command.Nonce
                    ? Decision.Unchanged(device)
                    : Decision.Accept(device with { Command = Replace(device.Command, issued) }, new EraseCommandReplaced(command.Nonce));
            case DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined
                or DeviceState.Returned or DeviceState.Withdrawn:
                // Without a key on record no erasure could ever be proved.
                return device.Identity is null
                    ? Decision.Refuse(device, DeviceErrors.NotEnrolled(device.Id))
                    : Leave(
                        device with { Command = issued },
                        DeviceState.Decommissioning,
                        new DecommissionBegun(command.Nonce),
                        "DEVICE_DECOMMISSIONING",
                        now);
            default:
                throw Unknown(device);
        }
    }

    /// <summary>
    /// A device that erased itself for the command before, and whose answer was lost, need not boot once more for the one that
    /// replaces it.
    /// </summary>
    private static DeviceCommand Replace(DeviceCommand? before, DeviceCommand issued) =>
        before is null ? issued : issued with { IssuedInBoot = before.IssuedInBoot };

    /// <summary>The verified proof makes the device a tombstone: both facts in one commit (I9).</summary>
    public static Decision<Device> CompleteDecommission(Device device, ErasureEvidence evidence, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(evidence);
        return device.State switch
        {
            DeviceState.Decommissioning => Bury(device, evidence, now),
            DeviceState.Decommissioned => Decision.Refuse(device, DeviceErrors.Tombstone(device.Id)),
            DeviceState.Expected or DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined
                or DeviceState.Returned or DeviceState.Withdrawn =>
                Decision.Refuse(device, DeviceErrors.StateInvalid(device, DeviceState.Decommissioning)),
            _ => throw Unknown(device),
        };
    }

    /// <summary>A rule, or an operator who confirms a suspicion, quarantines a device in service.</summary>
    internal static Decision<Device> QuarantineBy(Device device, QuarantineOrder order) => Leave(
        device with { Quarantine = order },
        DeviceState.Quarantined,
        new DeviceQuarantined(order.Cause) { By = order.By },
        "DEVICE_QUARANTINED",
        order.At);

    /// <summary>
    /// Takes a quarantined device back. What it shows is accepted, and what is suspected of it is not any more: who releases it has seen
    /// both. Of a suspicion that was confirmed it says that the cause is gone, and nothing of the next time; a rule has judged none.
    /// </summary>
    internal static Decision<Device> ReleaseBy(Device device, Actor? by, string cause, DateTimeOffset now)
    {
        var findings = device.Findings.IsDefault ? [] : device.Findings;
        var isJudged = by?.Kind != ActorKind.Rule && device.Suspicion is { State: not SuspicionState.Confirmed };
        var next = Move(isJudged ? SuspectedPair.Dismiss(device) : device, DeviceState.InService, now) with
        {
            Quarantine = null,
            Suspicion = null,
            Findings = [.. findings.Select(finding => finding with { IsAccepted = true })],
        };
        var released = new DeviceReleased(cause) { By = by };
        return device.Suspicion is { } suspicion
            ? Decision.Accept(next, released, new SuspicionDismissed(suspicion.Kind, cause))
            : Decision.Accept(next, released);
    }

    internal static Device Move(Device device, DeviceState state, DateTimeOffset now) =>
        device with { State = state, StateChangedAt = now };

    private static Decision<Device> Bury(Device device, ErasureEvidence evidence, DateTimeOffset now)
    {
        var (next, revoked) = CertificateRules.RevokeAll(device, now);
        return Decision.Accept(
            Move(next, DeviceState.Decommissioned, now) with { Erasure = evidence, Command = null },
            [
                new ErasureProved(evidence),
                new DeviceDecommissioned(evidence.CertificateSha256, evidence.KeySha256),
                .. revoked,
            ]);
    }

    private static Decision<Device> Leave(Device device, DeviceState state, DomainEvent fact, string reason, DateTimeOffset now)
    {
        var (next, closed) = DeviceChanges.Remove(device, reason, now);
        return closed is null
            ? Decision.Accept(Move(next, state, now), fact)
            : Decision.Accept(Move(next, state, now), fact, closed);
    }

    private static FleetError? CheckSpec(Device expected)
    {
        var spec = expected.Expected;
        return spec switch
        {
            _ when expected.RequestId.Length is 0 or > RequestIdLengthMax => Invalid("request_id", $"1 to {RequestIdLengthMax} characters"),
            _ when spec.Model.Length is 0 or > ModelLengthMax => Invalid("model", $"1 to {ModelLengthMax} characters"),
            _ when !ImageTrack.TryParse(spec.Track, out _) => Invalid("track", "'active' or a long-term-support line such as '12.11'"),
            _ when spec.Site.Length > SiteLengthMax => Invalid("site", $"at most {SiteLengthMax} characters"),
            _ when spec.OsFloor.Length > 0 && !OsVersion.TryParse(spec.OsFloor, out _) => Invalid("os_floor", "an OS version, or empty"),
            _ when spec.Order is { Length: 0 or > ExpectedDevice.OrderLengthMax } =>
                Invalid("order", $"1 to {ExpectedDevice.OrderLengthMax} characters"),
            _ when spec.Delivery is not null && !ResourceId.TryParse(spec.Delivery, out _) => Invalid("delivery", "the id of a delivery"),
            _ when expected.ExpectedCertificateSha256 is { } certificate && !IsSha256(certificate) =>
                Invalid("expected_certificate_sha256", "64 lower-case hex digits"),
            _ when spec.Approval is not (EnrollmentApproval.Automatic or EnrollmentApproval.Manual) =>
                Invalid("approval", "automatic or manual"),
            _ => null,
        };
    }

    /// <summary>The record forgets what was expected when the device enrols; a repetition after that is not compared with it.</summary>
    private static bool IsSameCertificate(Device current, Device expected) =>
        current.State is not (DeviceState.Expected or DeviceState.Withdrawn)
        || current.ExpectedCertificateSha256 == expected.ExpectedCertificateSha256;

    private static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    internal static FleetError? CheckCause(string cause) =>
        string.IsNullOrWhiteSpace(cause) || cause.Length > CauseLengthMax ? Invalid("cause", $"1 to {CauseLengthMax} characters") : null;

    private static QuarantineOrder? OrderOf(Actor? by, string cause, DateTimeOffset now) =>
        by is { } actor ? new QuarantineOrder(actor, cause, now) : null;

    private static FleetError Invalid(string field, string rule) => DeviceErrors.FieldInvalid(field, rule);

    private static UnreachableException Unknown(Device device) => new($"Device '{device.Id}' has unknown state {device.State}.");
}
