using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceLifecycleTests
{
    private const string Invalid = "DEVICE_STATE_INVALID";

    private const string Tombstone = "DEVICE_DECOMMISSIONED";

    /// <summary>Every state and every command: the next state, or the reason of the refusal.</summary>
    public static TheoryData<DeviceState, string, string> Moves()
    {
        var moves = new TheoryData<DeviceState, string, string>();
        string[] commands = ["approve", "quarantine", "release", "begin", "complete", "withdraw"];
        foreach (var state in Units.States)
        {
            string[] expected = state switch
            {
                DeviceState.Expected =>
                [
                    Invalid, "DEVICE_NOT_IN_SERVICE", Invalid, "DEVICE_NOT_ENROLLED", Invalid, "Withdrawn",
                ],
                DeviceState.Withdrawn =>
                [
                    Invalid, "DEVICE_NOT_IN_SERVICE", Invalid, "DEVICE_NOT_ENROLLED", Invalid, "Withdrawn",
                ],
                DeviceState.Enrolling => ["InService", "DEVICE_NOT_IN_SERVICE", Invalid, "Decommissioning", Invalid, Invalid],
                DeviceState.InService => ["InService", "Quarantined", "InService", "Decommissioning", Invalid, Invalid],
                DeviceState.Quarantined => [Invalid, "Quarantined", "InService", "Decommissioning", Invalid, Invalid],
                DeviceState.Decommissioning =>
                    [Invalid, "DEVICE_NOT_IN_SERVICE", Invalid, "Decommissioning", "Decommissioned", Invalid],
                DeviceState.Decommissioned => [Tombstone, Tombstone, Tombstone, "Decommissioned", Tombstone, Tombstone],
                DeviceState.Returned => [Invalid, "DEVICE_NOT_IN_SERVICE", Invalid, "Decommissioning", Invalid, Invalid],
                _ => throw new InvalidOperationException($"Decide what commands do in state {state}."),
            };
            for (var i = 0; i < commands.Length; i++)
            {
                moves.Add(state, commands[i], expected[i]);
            }
        }

        return moves;
    }

    [Theory]
    [MemberData(nameof(Moves))]
    public void Command_InEveryState_MovesOrIsRefused(DeviceState state, string command, string expected)
    {
        var device = Units.InState(state);

        var decision = Run(device, command);

        Assert.Equal(expected, decision.Error?.Reason ?? decision.Next.State.ToString());
        Assert.Equal(decision.Next.State != state, !decision.Events.IsEmpty);
        Assert.True(decision.Error is null || ReferenceEquals(device, decision.Next));
    }

    [Theory]
    [MemberData(nameof(Moves))]
    public void Command_Repeated_ChangesNothing(DeviceState state, string command, string expected)
    {
        var once = Run(Units.InState(state), command);

        var twice = Run(once.Next, command);

        Assert.Empty(twice.Events);
        // A completed decommission is told that it is one: its result is refused on this road, too.
        Assert.True(once.Error is not null || twice.Error is null || expected == "Decommissioned");
    }

    [Fact]
    public void Expect_OfASpecOutOfRange_IsRefused()
    {
        var device = Units.InState(DeviceState.Expected);

        Assert.Equal("track", FieldOf(device with { Expected = device.Expected with { Track = "12" } }));
        Assert.Equal("model", FieldOf(device with { Expected = device.Expected with { Model = "" } }));
        Assert.Equal("os_floor", FieldOf(device with { Expected = device.Expected with { OsFloor = "new" } }));
        Assert.Equal("approval", FieldOf(device with { Expected = device.Expected with { Approval = EnrollmentApproval.Unspecified } }));
        Assert.Equal("request_id", FieldOf(device with { RequestId = "" }));
    }

    [Theory]
    [InlineData("request-1", false, null)]
    [InlineData("request-1", true, "REQUEST_ID_REUSED")]
    [InlineData("request-2", false, "ALREADY_EXISTS")]
    public void Expect_OfAKnownDevice_IsTheSameRequestOrRefused(string requestId, bool other, string? reason)
    {
        var device = Units.InState(DeviceState.InService);
        var again = device with { RequestId = requestId, Expected = other ? device.Expected with { Site = "roof" } : device.Expected };

        var decision = DeviceLifecycle.Expect(device, again);

        Assert.Equal(reason, decision.Error?.Reason);
        Assert.Empty(decision.Events);
    }

    /// <summary>A list that is repeated brings nothing back; one that was mended, or another, does.</summary>
    [Theory]
    [InlineData("request-1", false, false, false)]
    [InlineData("request-1", true, false, true)]
    [InlineData("request-1", false, true, true)]
    [InlineData("request-2", false, false, true)]
    public void Expect_OfAWithdrawnDevice_BringsItBackWhenSomethingElseIsSaid(
        string requestId, bool otherSite, bool otherCertificate, bool comesBack)
    {
        var device = Units.InState(DeviceState.Withdrawn) with { Epoch = 7, ExpectedCertificateSha256 = new string('a', 64) };
        var again = Units.InState(DeviceState.Expected) with
        {
            RequestId = requestId,
            Expected = otherSite ? device.Expected with { Site = "roof" } : device.Expected,
            ExpectedCertificateSha256 = new string(otherCertificate ? 'b' : 'a', 64),
        };

        var decision = DeviceLifecycle.Expect(device, again);

        Assert.Null(decision.Error);
        Assert.Equal((comesBack ? DeviceState.Expected : DeviceState.Withdrawn, 7), (decision.Next!.State, decision.Next.Epoch));
        Assert.Equal(comesBack, decision.Events is [DeviceExpected]);
        Assert.Equal("model", FieldOf(again with { RequestId = "new", Expected = again.Expected with { Model = "" } }, device));
    }

    [Fact]
    public void Expect_OfATombstone_IsRefused()
    {
        var device = Units.InState(DeviceState.Decommissioned);

        Assert.Equal("DEVICE_DECOMMISSIONED", DeviceLifecycle.Expect(device, device with { RequestId = "new" }).Error?.Reason);
    }

    [Theory]
    [InlineData("quarantine")]
    [InlineData("begin")]
    public void Command_ThatEndsService_ClosesTheChangeAndWithdrawsItsImage(string command)
    {
        var device = Units.Offered();

        var decision = Run(device, command);

        Assert.Null(decision.Next.Change);
        Assert.Equal(ChangeOutcome.Removed, decision.Next.LastChange?.Outcome);
        Assert.Equal(new DesiredState(device.Desired.Generation + 1, null, null), decision.Next.Desired);
        Assert.Equal(ChangeOutcome.Removed, Assert.IsType<ChangeClosed>(decision.Events[1]).Outcome);
    }

    [Fact]
    public void BeginDecommission_WithANewNonce_ReplacesTheCommand()
    {
        var device = Units.InState(DeviceState.Decommissioning);
        var command = Units.Command with { Nonce = new string('d', 32) };

        var decision = DeviceLifecycle.BeginDecommission(device, command, Units.Start);

        Assert.Equal(command, decision.Next.Command);
        Assert.Equal(new EraseCommandReplaced(command.Nonce), Assert.Single(decision.Events));
    }

    [Fact]
    public void CompleteDecommission_TellsProofAndTombstoneTogether()
    {
        var decision = DeviceLifecycle.CompleteDecommission(Units.InState(DeviceState.Decommissioning), Units.Evidence, Units.Start);

        Assert.IsType<ErasureProved>(decision.Events[0]);
        Assert.IsType<DeviceDecommissioned>(decision.Events[1]);
        Assert.Equal(Units.Evidence, decision.Next.Erasure);
        Assert.Null(decision.Next.Command);
    }

    private static Decision<Device> Run(Device device, string command) => command switch
    {
        "approve" => DeviceLifecycle.Approve(device, null, Units.Start),
        "quarantine" => DeviceLifecycle.Quarantine(device, "noisy", Units.Start),
        "release" => DeviceLifecycle.Release(device, "quiet", Units.Start),
        "begin" => DeviceLifecycle.BeginDecommission(device, Units.Command, Units.Start),
        "complete" => DeviceLifecycle.CompleteDecommission(device, Units.Evidence, Units.Start),
        "withdraw" => DeviceLifecycle.Withdraw(device, "another list", Units.Start),
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private static string? FieldOf(Device expected, Device? current = null) =>
        DeviceLifecycle.Expect(current, expected).Error?.Metadata.FirstOrDefault(detail => detail.Key == "field")?.Value;
}
