using System.Collections.Immutable;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Operators;

namespace Muster.Domain.Tests.Decommissioning;

/// <summary>Devices and decommissions for the tests of the end of a device.</summary>
internal static class Ends
{
    public static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly Actor Anna = Actor.Operator("anna");

    public static readonly Actor Bert = Actor.Operator("bert");

    public static readonly ImmutableArray<OperatorRole> Approver = [OperatorRole.Approver];

    public static readonly Proposal Campaign = new(DecommissionCause.EndOfSupport, "P3265-V:20260601T000000Z");

    public static DeviceId Id { get; } = DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException();

    public static Device Device(DeviceState state = DeviceState.InService) => new()
    {
        Tenant = TenantId.Default,
        Id = Id,
        State = state,
        StateChangedAt = Now,
        Expected = new ExpectedDevice("P3265-V", "active", "", "", EnrollmentApproval.Automatic),
        RequestId = "r1",
        CreatedAt = Now,
        Identity = state is DeviceState.Expected or DeviceState.Withdrawn
            ? null
            : new DeviceIdentity("ieee8021ar", Id, new string('a', 64), new string('b', 64), [1]),
    };

    public static Device Tombstone(string nonce) => Device(DeviceState.Decommissioned) with { Erasure = Evidence(nonce) };

    public static ErasureEvidence Evidence(string nonce) =>
        new(nonce, [1, 2, 3], new string('a', 64), new string('b', 64), [1], "boot-1", "boot-2", Now.AddMinutes(1));

    public static DeviceCommand Command(string nonce = "n1", DateTimeOffset? at = null) => ErasureRules.NewCommand(nonce, at ?? Now);

    public static Decommission? Of(DecommissionState? state) => state switch
    {
        null => null,
        DecommissionState.Proposed => Proposed(),
        DecommissionState.Requested => Requested(),
        DecommissionState.Erasing => Erasing(),
        DecommissionState.Completed => Completed(),
        DecommissionState.Cancelled => DecommissionRules.Cancel(Requested(), Now).Next,
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static Decommission Proposed() => DecommissionRules.Propose(null, Device(), Campaign, Now).Next!;

    public static Decommission Requested() => DecommissionRules.Request(Proposed(), Device(), Anna, Now).Next!;

    public static Decommission Erasing() => DecommissionGate.Approve(Requested(), Bert, Approver, Command(), Now).Next;

    public static Decommission HandedOver() =>
        ErasureRules.HandOver(Erasing(), Device(DeviceState.Decommissioning), refusal: null, Now).Next;

    public static Decommission Completed() => ErasureRules.Look(HandedOver(), Tombstone("n1"), Command("n2"), Now).Next;

    public static Decommission Stalled() =>
        ErasureRules.Look(HandedOver(), Device(DeviceState.Decommissioned), Command("n2"), Now).Next;
}
