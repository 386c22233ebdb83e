using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>What a broker's word is worth: it stands in for a key that was proved once, and opens nothing else.</summary>
public sealed class VouchedIdentityTests
{
    private static readonly DeviceIdentity Vouched = DeviceIdentity.Vouched(Units.Id);

    public static TheoryData<DeviceState, string?> States => new(Units.States.Select(state => (state, state switch
    {
        DeviceState.Expected => "IDENTITY_NOT_PROVEN",
        DeviceState.Enrolling or DeviceState.InService or DeviceState.Quarantined or DeviceState.Decommissioning => null,
        DeviceState.Decommissioned => "DEVICE_DECOMMISSIONED",
        DeviceState.Returned or DeviceState.Withdrawn => "DEVICE_NOT_EXPECTED",
        _ => "undecided",
    })));

    [Theory]
    [MemberData(nameof(States))]
    public void Check_OfAVouchedSerial_IsDecidedByWhatIsOnRecord(DeviceState state, string? reason) =>
        Assert.Equal(reason, DeviceAdmission.Check(Units.InState(state), Units.Id, Vouched, Units.Start)?.Reason);

    [Fact]
    public void Check_OfAVouchedSerial_DoesNotSpeakForAnother()
    {
        Assert.True(DeviceId.TryParse("B8A44F000002", out var other));

        Assert.Equal("IDENTITY_NOT_PROVEN", DeviceAdmission.Check(
            Units.InState(DeviceState.InService), Units.Id, DeviceIdentity.Vouched(other), Units.Start)?.Reason);
    }

    [Fact]
    public void TakeHello_OfAnExpectedDevice_DoesNotEnrolOnABrokersWord()
    {
        var hello = Units.Hello("boot-1", 1) with { Origin = Units.From("boot-1", 1, identity: Vouched) };

        var decision = DeviceMessages.TakeHello(Units.InState(DeviceState.Expected), hello, PolicySet.Empty, Units.Start);

        Assert.Equal("IDENTITY_NOT_PROVEN", decision.Error?.Reason);
    }

    [Fact]
    public void TakeHello_OfADeviceInService_KeepsTheIdentityThatWasProved()
    {
        var hello = Units.Hello("boot-2", 1) with { Origin = Units.From("boot-2", 1, identity: Vouched) };

        var decision = DeviceMessages.TakeHello(Units.InState(DeviceState.InService), hello, PolicySet.Empty, Units.Start);

        Assert.Null(decision.Error);
        Assert.Equal(Units.Identity, decision.Next.Identity);
        Assert.Equal(IdentityKind.Vouched, decision.Next.LastHello?.By);
    }

    [Fact]
    public void CheckDownloadAndCheckState_OfAVouchedSerial_AreRefused()
    {
        var device = Units.Offered();

        Assert.Equal("DOWNLOAD_NOT_ALLOWED", DeviceAdmission.CheckDownload(
            device, Units.Id, Vouched, Units.NewDigest, Units.Start)?.Reason);
        Assert.Null(DeviceAdmission.CheckDownload(device, Units.Id, Units.Identity, Units.NewDigest, Units.Start));
        Assert.Equal("IDENTITY_NOT_PROVEN", CertificateRules.CheckState(
            Units.InState(DeviceState.InService), Units.Id, Vouched, Units.Start)?.Reason);
    }
}
