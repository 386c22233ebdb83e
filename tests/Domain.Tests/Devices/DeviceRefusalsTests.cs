using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceRefusalsTests
{
    private static readonly Sha256Hash Certificate = new(1, 2, 3, 4);

    [Theory]
    [InlineData(DeviceState.Expected, true)]
    [InlineData(DeviceState.Enrolling, false)]
    [InlineData(DeviceState.InService, false)]
    [InlineData(DeviceState.Quarantined, false)]
    [InlineData(DeviceState.Decommissioning, false)]
    [InlineData(DeviceState.Decommissioned, true)]
    [InlineData(DeviceState.Returned, false)]
    [InlineData(DeviceState.Withdrawn, false)]
    public void Note_InEveryState_KeepsThoseOfExpectedDevicesAndTombstones(DeviceState state, bool stays)
    {
        var error = DeviceErrors.NotFactoryDefault(Units.Id);

        var decision = DeviceRefusals.Note(Units.InState(state), error, Certificate, Units.Start);

        var kept = new DeviceRefusal("NOT_FACTORY_DEFAULT", error.Message, Certificate, Units.Start);
        Assert.Equal(stays ? [kept] : [], decision.Next.Refusals);
        Assert.Equal(stays ? [new DeviceRefused(kept)] : [], decision.Events);
    }

    [Fact]
    public void Note_OfTheSameReason_CountsOnceAnHourWhateverTheCertificate()
    {
        var error = DeviceErrors.SecureBootMissing(Units.Id);
        var once = DeviceRefusals.Note(Units.InState(DeviceState.Expected), error, Certificate, Units.Start).Next;
        var end = Units.Start + DeviceRefusals.NotedEvery;

        Assert.Same(once, DeviceRefusals.Note(once, error, new Sha256Hash(9, 9, 9, 9), end.AddTicks(-1)).Next);
        var again = DeviceRefusals.Note(once, error, Certificate, end).Next;
        Assert.Equal(end, Assert.Single(again.Refusals).At);
        Assert.Equal(2, DeviceRefusals.Note(again, DeviceErrors.NotFactoryDefault(Units.Id), Certificate, end).Next.Refusals.Length);
    }

    [Fact]
    public void Note_OfMoreReasonsThanThereAre_KeepsTheNewest()
    {
        var device = Units.InState(DeviceState.Expected) with { Refusals = default };
        for (var n = 0; n < 40; n++)
        {
            device = DeviceRefusals.Note(
                device, FleetError.Of(ErrorKind.Denied, $"R{n}", new string('x', 400)), Certificate, Units.Start).Next;
        }

        Assert.Equal(DeviceRefusals.RefusalsMax, device.Refusals.Length);
        Assert.Equal("R39", device.Refusals[^1].Reason);
        Assert.Equal(DeviceRefusal.DetailLengthMax, device.Refusals[^1].Detail.Length);
    }

    /// <summary>Also those that a record has from before they were taken off it.</summary>
    [Theory]
    [InlineData(DeviceState.Expected, EnrollmentApproval.Automatic, 0)]
    [InlineData(DeviceState.Expected, EnrollmentApproval.Manual, 1)]
    [InlineData(DeviceState.Enrolling, EnrollmentApproval.Manual, 1)]
    [InlineData(DeviceState.InService, EnrollmentApproval.Automatic, 0)]
    public void TakeHello_OfOneThatWasRefusedBefore_KeepsThemWhileItWaitsForItsApproval(
        DeviceState state, EnrollmentApproval approval, int kept)
    {
        var device = Units.InState(state);
        device = device with
        {
            Expected = device.Expected with { Approval = approval },
            Refusals = [new DeviceRefusal("NOT_FACTORY_DEFAULT", "", Certificate, Units.Start)],
        };

        Assert.Equal(kept, Units.Take(device, Units.Hello("boot-2", 1)).Refusals.Length);
    }

    [Fact]
    public void Approve_OfOneThatWasRefusedBefore_TakesThemOffItsRecord() => Assert.Empty(DeviceLifecycle.Approve(
        Units.InState(DeviceState.Enrolling) with { Refusals = [new DeviceRefusal("R", "", Certificate, Units.Start)] },
        certificateSha256: null,
        Units.Start).Next.Refusals);

    [Theory]
    [InlineData(ErrorKind.Unavailable)]
    [InlineData(ErrorKind.Exhausted)]
    public void Note_OfWhatIsNotPossibleNow_KeepsNothing(ErrorKind kind) => Assert.Empty(DeviceRefusals.Note(
        Units.InState(DeviceState.Expected), FleetError.Of(kind, "LATER", "later"), Certificate, Units.Start).Events);
}
