using System.Collections.Immutable;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>Devices in any state, and what they say.</summary>
internal static class Units
{
    public const string Model = "P3265-V";

    public const string OldDigest = "1111111111111111111111111111111111111111111111111111111111111111";

    public const string NewDigest = "2222222222222222222222222222222222222222222222222222222222222222";

    public static readonly DateTimeOffset Start = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly DeviceId Id = DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException();

    public static readonly DeviceIdentity Identity =
        new("axis", Id, new string('a', 64), new string('b', 64), [1, 2, 3]);

    public static readonly DeviceCommand Command =
        new(CommandKind.FactoryDefault, new string('c', 32), Start, Start.AddDays(1));

    public static readonly ErasureEvidence Evidence =
        new(Command.Nonce, [9], Identity.CertificateSha256, Identity.KeySha256, Identity.PublicKey, "boot-1", "boot-2", Start);

    public static ResourceId Rollout(string name = "spring") =>
        ResourceId.TryParse(name, out var rollout) ? rollout : throw new FormatException();

    public static ImmutableArray<DeviceState> States { get; } =
        [.. Enum.GetValues<DeviceState>().Where(state => state != DeviceState.Unspecified)];

    public static Device InState(DeviceState state)
    {
        var isEnrolled = state is not (DeviceState.Expected or DeviceState.Withdrawn);
        return new Device
        {
            Tenant = TenantId.Default,
            Id = Id,
            State = state,
            StateChangedAt = Start,
            Expected = new ExpectedDevice(Model, "active", "lab", "11.0", EnrollmentApproval.Automatic),
            RequestId = "request-1",
            CreatedAt = Start,
            Track = "active",
            OsFloor = "11.0",
            Identity = isEnrolled ? Identity : null,
            Model = isEnrolled ? Model : "",
            Os = isEnrolled ? Os("boot-1") : null,
            Boots = isEnrolled ? [new BootSequences("boot-1", 1, 0, default, default)] : [],
            Command = state == DeviceState.Decommissioning ? Command : null,
            Erasure = state == DeviceState.Decommissioned ? Evidence : null,
        };
    }

    public static ReportedOs Os(string boot, string digest = OldDigest, string version = "12.0.1") =>
        new(version, digest, boot, true, true);

    public static MessageOrigin From(string boot, long sequence, long epoch = 1, DeviceIdentity? identity = null) =>
        new(identity ?? Identity, new MessageStamp(boot, sequence), epoch);

    public static ObservedHello Hello(string boot, long sequence, string digest = OldDigest, long generation = 0) =>
        new(From(boot, sequence), Id.Value, Model, Os(boot, digest), generation);

    public static ObservedProgress Report(
        long generation, ChangeStep step, long sequence, string boot = "boot-1", ChangeOutcome outcome = ChangeOutcome.Unspecified) =>
        new(From(boot, sequence), generation, step, outcome, "");

    public static ChangeOffer Offer(string rollout = "spring", string digest = NewDigest, string track = "active") =>
        new(Rollout(rollout), 1, new OsTarget(digest, "12.1", 1000, [1]), track, [Model]);

    public static Device Offered(string rollout = "spring") =>
        DeviceChanges.Offer(InState(DeviceState.InService), Offer(rollout), hasSession: true, Start).Next;

    public static Device Take(Device device, ObservedHello hello) => DeviceMessages.TakeHello(device, hello, PolicySet.Empty, Start).Next;

    public static Device Take(Device device, ObservedProgress report) => DeviceMessages.TakeReport(device, report, Start).Next;
}

/// <summary>Takes the proof 9 and no other.</summary>
internal sealed class NineVerifier : IErasureProofVerifier
{
    public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
        signature is [9] ? null : FleetError.Of(ErrorKind.Denied, "ERASURE_PROOF_INVALID", "Not the proof.");
}
