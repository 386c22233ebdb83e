using Muster.Domain.Decommissioning;
using Muster.Domain.Identity;
using Muster.Domain.Policies;
using Muster.Domain.Trust;

namespace Muster.Domain.Devices;

/// <summary>
/// Decides what a device's durable messages change. Every message that is news leaves at least one fact, a report exactly one; a
/// repetition and a message of a known older boot change nothing and are acknowledged.
/// </summary>
public static class DeviceMessages
{
    /// <summary>Why this hello is refused for ever; null when it is taken, repeated or late.</summary>
    public static FleetError? CheckHello(Device? device, DeviceId id, ObservedHello hello, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(hello);
        if (DeviceAdmission.Check(device, id, hello.Origin.Identity, now) is { } refused)
        {
            return refused;
        }

        if (!(DeviceId.TryFromSerial(hello.Serial, out var claimed) && claimed == id))
        {
            return DeviceErrors.SerialMismatch(id, hello.Serial);
        }

        return device!.State is DeviceState.Expected or DeviceState.Enrolling && IsNews(device, UpKind.Hello, hello.Origin.Stamp)
            ? EnrollmentRules.Check(device, hello)
            : null;
    }

    /// <summary>
    /// Takes a hello: it enrols, confirms a boot, and is evaluated. What the device is, is always taken, whatever generation it names.
    /// </summary>
    /// <param name="device">As committed.</param>
    /// <param name="hello">What it says.</param>
    /// <param name="policies">The tenant's.</param>
    /// <param name="now">The time.</param>
    /// <param name="trust">What its trust is judged by; null to leave that as it is.</param>
    public static Decision<Device> TakeHello(
        Device device, ObservedHello hello, PolicySet policies, DateTimeOffset now, TrustBasis? trust = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (CheckHello(device, device.Id, hello, now) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        if (!IsNews(device, UpKind.Hello, hello.Origin.Stamp))
        {
            return Decision.Unchanged(device);
        }

        var facts = ImmutableArray.CreateBuilder<DomainEvent>();
        var next = Enrol(device, hello, facts, now);
        next = Note(next, UpKind.Hello, hello.Origin) with
        {
            Model = hello.Model,
            Os = hello.Os,
            LastHello = new HelloEvidence(now, hello.Origin.Identity.Kind),
            // Who approves may want to see them; of a device in service they would be an alarm about what is over.
            Refusals = next.State == DeviceState.Enrolling ? device.Refusals : [],
        };
        facts.Add(new DeviceHelloTaken(hello.Os, hello.Generation));
        (next, var changed) = DeviceChanges.TakeBoot(next, hello.Os, now);
        Add(facts, changed);
        (next, var givenUp) = DeviceChanges.TakeRecall(next, hello.Os, hello.Generation, now);
        Add(facts, givenUp);
        // A device cannot have reached what was never issued.
        next = DeviceChanges.Reach(next, Math.Min(hello.Generation, device.Desired.Generation), hello.Os.BootId);
        (next, var delivered) = DeviceChanges.TakeDelivery(next, hello.Os, now);
        Add(facts, delivered);
        (next, var evaluated) = PolicyEvaluator.Apply(next, policies);
        Add(facts, evaluated);
        if (trust is not null)
        {
            (next, var judged) = TrustEvaluator.Apply(next, trust, now);
            facts.AddRange(judged);
        }

        return Decision.Accept(next, facts.ToImmutable());
    }

    /// <summary>Takes a report: of a generation never issued it is refused for ever, of a closed one acknowledged and ignored.</summary>
    public static Decision<Device> TakeReport(Device device, ObservedProgress report, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(report);
        if (DeviceAdmission.CheckEnrolled(device, device.Id, report.Origin.Identity, now) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        if (TrustRestrictions.CheckUp(device, UpKind.Report) is { } restricted)
        {
            return Decision.Refuse(device, restricted);
        }

        if (report.Generation < 1 || report.Generation > device.Desired.Generation)
        {
            return Decision.Refuse(device, DeviceErrors.GenerationUnknown(device.Id, report.Generation));
        }

        if (!IsNews(device, UpKind.Report, report.Origin.Stamp))
        {
            return Decision.Unchanged(device);
        }

        var noted = Note(device, UpKind.Report, report.Origin) with
        {
            // One that it does not obey it has not taken over.
            GenerationReached = DeviceChanges.LeavesRecallOpen(device, report)
                ? device.GenerationReached
                : Math.Max(device.GenerationReached, report.Generation),
        };
        var (next, facts) = DeviceChanges.TakeReport(DeviceChanges.LeaveEarlier(noted, report), report, now);
        return Decision.Accept(next, facts);
    }

    /// <summary>Takes the settings, whole; a message that a newer one overtook is noted and not applied.</summary>
    public static Decision<Device> TakeInventory(
        Device device, ObservedInventory inventory, PolicySet policies, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(inventory);
        if (DeviceAdmission.CheckEnrolled(device, device.Id, inventory.Origin.Identity, now) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        var stamp = inventory.Origin.Stamp;
        if (!IsNews(device, UpKind.Inventory, stamp))
        {
            return Decision.Unchanged(device);
        }

        var applies = !MessageWindow.IsOvertaken(device.Boots, UpKind.Inventory, stamp);
        var reported = SettingSet.Of(inventory.Settings.AsSpan());
        var isChanged = applies && !device.Settings.Equals(reported);
        var generation = Math.Min(inventory.Generation, device.Desired.Generation);
        var next = Note(device, UpKind.Inventory, inventory.Origin) with
        {
            // The same object when nothing changed: the cold part is written only when it is another.
            Settings = isChanged ? reported : device.Settings,
        };
        var facts = ImmutableArray.CreateBuilder<DomainEvent>();
        facts.Add(new DeviceInventoryTaken(inventory.Settings.Length, applies));
        if (applies)
        {
            (next, var changed) = SettingsChanges.TakeInventory(next, generation, now);
            Add(facts, changed);
        }

        next = DeviceChanges.Reach(next, generation, stamp.BootId);
        (next, var evaluated) = PolicyEvaluator.Apply(next, policies);
        Add(facts, evaluated);
        return Decision.Accept(next, facts.ToImmutable());
    }

    /// <summary>Takes the answer to the command that waits; a proof counts only under the key on record.</summary>
    public static Decision<Device> TakeResult(Device device, ObservedResult result, IErasureProofVerifier verifier, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(verifier);
        if (DeviceAdmission.CheckEnrolled(device, device.Id, result.Origin.Identity, now) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        var stamp = result.Origin.Stamp;
        if (!IsNews(device, UpKind.Result, stamp))
        {
            return Decision.Unchanged(device);
        }

        if (device.Command is not { } command || command.Nonce != result.Nonce)
        {
            return Decision.Refuse(device, DeviceErrors.NonceUnknown(device.Id, result.Nonce));
        }

        if (!result.Succeeded)
        {
            return Decision.Accept(Note(device, UpKind.Result, result.Origin), new CommandFailed(command.Nonce, result.Reason));
        }

        if (stamp.BootId == command.IssuedInBoot)
        {
            return Decision.Refuse(device, DeviceErrors.NotRebooted(device.Id, command.Nonce));
        }

        var identity = device.Identity ?? throw new InvalidOperationException($"Device '{device.Id}' has a command and no identity.");
        var proof = new ErasureProof(device.Tenant, device.Id, command.Nonce, stamp.BootId, ErasureProof.FactoryDefault);
        return verifier.Verify(proof, identity.PublicKey, result.Proof) is { } invalid
            ? Decision.Refuse(device, invalid)
            : DeviceLifecycle.CompleteDecommission(
                Note(device, UpKind.Result, result.Origin),
                new ErasureEvidence(
                    command.Nonce,
                    result.Proof,
                    identity.CertificateSha256,
                    identity.KeySha256,
                    identity.PublicKey,
                    device.Boots.LastOrDefault(boot => boot.BootId != stamp.BootId)?.BootId ?? "",
                    stamp.BootId,
                    now),
                now);
    }

    private static Device Enrol(Device device, ObservedHello hello, ImmutableArray<DomainEvent>.Builder facts, DateTimeOffset now)
    {
        if (device.State != DeviceState.Expected)
        {
            return device;
        }

        var identity = hello.Origin.Identity;
        facts.Add(new DeviceEnrolling(identity.Profile, identity.CertificateSha256, identity.KeySha256));
        var isApproved = device.Expected.Approval == EnrollmentApproval.Automatic;
        if (isApproved)
        {
            facts.Add(new DeviceEnrolled(EnrollmentApproval.Automatic));
        }

        return DeviceLifecycle.Move(device, isApproved ? DeviceState.InService : DeviceState.Enrolling, now) with
        {
            Identity = identity,
            Enrollment = new EnrollmentEvidence(identity, hello.Model, hello.Os, now),
            // A denial returns it to what was expected.
            ExpectedCertificateSha256 = isApproved ? null : device.ExpectedCertificateSha256,
        };
    }

    private static Device Note(Device device, UpKind kind, MessageOrigin origin) => device with
    {
        Boots = MessageWindow.Note(device.Boots, kind, origin.Stamp),
        Epoch = Math.Max(device.Epoch, origin.Epoch),
    };

    private static bool IsNews(Device device, UpKind kind, MessageStamp stamp) =>
        MessageWindow.Judge(device.Boots, kind, stamp) == MessageNovelty.News;

    private static void Add(ImmutableArray<DomainEvent>.Builder facts, DomainEvent? fact)
    {
        if (fact is not null)
        {
            facts.Add(fact);
        }
    }
}
