using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceMessagesTests
{
    /// <summary>Every state and kind: taken (the number of facts), or the reason of the refusal.</summary>
    public static TheoryData<DeviceState, UpKind, string> Messages()
    {
        var messages = new TheoryData<DeviceState, UpKind, string>();
        foreach (var state in Units.States)
        {
            string[] expected = state switch
            {
                DeviceState.Expected => ["3", "DEVICE_NOT_ENROLLED", "DEVICE_NOT_ENROLLED", "DEVICE_NOT_ENROLLED"],
                DeviceState.Enrolling or DeviceState.InService => ["1", "1", "1", "NONCE_UNKNOWN"],
                DeviceState.Quarantined => ["1", "DEVICE_QUARANTINED", "1", "NONCE_UNKNOWN"],
                DeviceState.Decommissioning => ["1", "1", "1", "2"],
                DeviceState.Decommissioned =>
                    ["DEVICE_DECOMMISSIONED", "DEVICE_DECOMMISSIONED", "DEVICE_DECOMMISSIONED", "DEVICE_DECOMMISSIONED"],
                DeviceState.Returned or DeviceState.Withdrawn =>
                    ["DEVICE_NOT_EXPECTED", "DEVICE_NOT_EXPECTED", "DEVICE_NOT_EXPECTED", "DEVICE_NOT_EXPECTED"],
                _ => throw new InvalidOperationException($"Decide what messages do in state {state}."),
            };
            messages.Add(state, UpKind.Hello, expected[0]);
            messages.Add(state, UpKind.Report, expected[1]);
            messages.Add(state, UpKind.Inventory, expected[2]);
            messages.Add(state, UpKind.Result, expected[3]);
        }

        return messages;
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Take_InEveryState_LeavesFactsOrIsRefused(DeviceState state, UpKind kind, string expected)
    {
        var device = Units.InState(state) with { Desired = new DesiredState(1, null, null) };

        var decision = Take(device, kind, "boot-2", 1);

        Assert.Equal(expected, decision.Error?.Reason ?? $"{decision.Events.Length}");
    }

    [Theory]
    [InlineData(UpKind.Hello)]
    [InlineData(UpKind.Report)]
    [InlineData(UpKind.Inventory)]
    public void Take_Repeated_ChangesNothing(UpKind kind)
    {
        var device = Units.InState(DeviceState.InService) with { Desired = new DesiredState(1, null, null) };
        var once = Take(device, kind, "boot-1", 7);

        var twice = Take(once.Next, kind, "boot-1", 7);

        Assert.Empty(twice.Events);
        Assert.Null(twice.Error);
        Assert.Same(once.Next, twice.Next);
    }

    [Theory]
    [InlineData(UpKind.Hello)]
    [InlineData(UpKind.Report)]
    [InlineData(UpKind.Inventory)]
    public void Take_OfAKnownOlderBoot_IsAcknowledgedAndNeverApplied(UpKind kind)
    {
        var device = Units.Take(Units.InState(DeviceState.InService), Units.Hello("boot-2", 1));
        device = device with { Desired = new DesiredState(1, null, null) };

        var decision = Take(device, kind, "boot-1", 99);

        Assert.Null(decision.Error);
        Assert.Same(device, decision.Next);
        Assert.Equal(MessageNovelty.OlderBoot, MessageWindow.Judge(device.Boots, kind, new MessageStamp("boot-1", 99)));
    }

    [Fact]
    public void TakeInventory_FillingAGap_IsNewsAndDoesNotOverwriteTheNewer()
    {
        var device = Units.InState(DeviceState.InService);
        var newer = DeviceMessages.TakeInventory(device, Inventory("boot-1", 9, "new"), PolicySet.Empty, Units.Start).Next;

        var late = DeviceMessages.TakeInventory(newer, Inventory("boot-1", 8, "old"), PolicySet.Empty, Units.Start);

        Assert.Equal(new DeviceInventoryTaken(1, IsApplied: false), Assert.Single(late.Events));
        Assert.Equal("new", Assert.Single(late.Next.Settings).Value);
    }

    [Fact]
    public void TakeReport_BehindANewerOne_IsARepetition()
    {
        var device = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Verifying, 9));

        Assert.Empty(DeviceMessages.TakeReport(device, Units.Report(1, ChangeStep.Downloading, 8), Units.Start).Events);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void TakeReport_OfAGenerationNeverIssued_IsRefused(long generation)
    {
        var decision = DeviceMessages.TakeReport(Units.Offered(), Units.Report(generation, ChangeStep.Downloading, 1), Units.Start);

        Assert.Equal("GENERATION_UNKNOWN", decision.Error?.Reason);
    }

    [Theory]
    [InlineData("model", "MODEL_MISMATCH")]
    [InlineData("serial", "SERIAL_MISMATCH")]
    [InlineData("factory", "NOT_FACTORY_DEFAULT")]
    [InlineData("boot", "SECURE_BOOT_MISSING")]
    [InlineData("floor", "OS_BELOW_FLOOR")]
    [InlineData("identity", "IDENTITY_MISMATCH")]
    public void TakeHello_ThatFailsAnEnrolmentCheck_IsRefused(string fault, string reason)
    {
        var hello = Units.Hello("boot-1", 1);
        hello = fault switch
        {
            "model" => hello with { Model = "Q6075" },
            "serial" => hello with { Serial = "B8A44F000002" },
            "factory" => hello with { Os = hello.Os with { FactoryDefault = false } },
            "boot" => hello with { Os = hello.Os with { SecureBoot = false } },
            "floor" => hello with { Os = hello.Os with { Version = "10.99" } },
            _ => hello with { Origin = Units.From("boot-1", 1, identity: Units.Identity with { Device = Other() }) },
        };

        var decision = DeviceMessages.TakeHello(Units.InState(DeviceState.Expected), hello, PolicySet.Empty, Units.Start);

        Assert.Equal(reason, decision.Error?.Reason);
    }

    [Fact]
    public void TakeHello_WithManualApproval_Waits()
    {
        var device = Units.InState(DeviceState.Expected);
        device = device with { Expected = device.Expected with { Approval = EnrollmentApproval.Manual } };

        var decision = DeviceMessages.TakeHello(device, Units.Hello("boot-1", 1), PolicySet.Empty, Units.Start);

        Assert.Equal(DeviceState.Enrolling, decision.Next.State);
        Assert.Equal(Units.Identity, decision.Next.Identity);
        Assert.Equal(DeviceState.InService, DeviceLifecycle.Approve(decision.Next, null, Units.Start).Next.State);
        Assert.Equal(DeviceState.InService, Approve(Units.Identity.CertificateSha256).Next.State);
        Assert.Equal("ENROLLMENT_CERTIFICATE_CHANGED", Approve(new string('e', 64)).Error?.Reason);

        Decision<Device> Approve(string seen) => DeviceLifecycle.Approve(decision.Next, Sha256Hash.Parse(seen), Units.Start);
    }

    [Fact]
    public void TakeHello_InServiceWithoutFactoryDefault_IsTaken()
    {
        var hello = Units.Hello("boot-2", 1);
        hello = hello with { Os = hello.Os with { FactoryDefault = false, SecureBoot = false, Version = "1.0" } };

        var decision = DeviceMessages.TakeHello(Units.InState(DeviceState.InService), hello, PolicySet.Empty, Units.Start);

        Assert.Equal(hello.Os, decision.Next.Os);
        Assert.Equal(DeviceState.InService, decision.Next.State);
    }

    [Fact]
    public void TakeHello_NamingAGenerationNeverIssued_IsTakenAndTheGenerationIsNot()
    {
        var next = Units.Take(Units.InState(DeviceState.InService), Units.Hello("boot-2", 1, generation: 99));

        Assert.Equal("boot-2", next.Os?.BootId);
        Assert.Equal(0, next.GenerationReached);
    }

    [Fact]
    public void TakeResult_WithAnInvalidProof_IsRefusedAndTheDeviceStays()
    {
        var device = Units.InState(DeviceState.Decommissioning);
        var result = new ObservedResult(Units.From("boot-2", 1), Units.Command.Nonce, true, "", [8]);

        var decision = DeviceMessages.TakeResult(device, result, new NineVerifier(), Units.Start);

        Assert.Equal("ERASURE_PROOF_INVALID", decision.Error?.Reason);
        Assert.Same(device, decision.Next);
    }

    [Fact]
    public void TakeResult_ThatFailed_KeepsTheCommand()
    {
        var result = new ObservedResult(Units.From("boot-1", 1), Units.Command.Nonce, false, "flash worn out", []);

        var decision = DeviceMessages.TakeResult(Units.InState(DeviceState.Decommissioning), result, new NineVerifier(), Units.Start);

        Assert.Equal(new CommandFailed(Units.Command.Nonce, "flash worn out"), Assert.Single(decision.Events));
        Assert.Equal(Units.Command, decision.Next.Command);
    }

    [Fact]
    public void TakeResult_InTheBootThatGotTheCommand_IsRefused()
    {
        var device = DeviceLifecycle.BeginDecommission(Units.InState(DeviceState.InService), Units.Command, Units.Start).Next;
        var result = new ObservedResult(Units.From("boot-1", 1), Units.Command.Nonce, true, "", [9]);

        var decision = DeviceMessages.TakeResult(device, result, new NineVerifier(), Units.Start);

        Assert.Equal("ERASURE_WITHOUT_BOOT", decision.Error?.Reason);
        Assert.Same(device, decision.Next);
    }

    [Fact]
    public void TakeResult_ForAReplacedCommand_NeedsNoFurtherBoot()
    {
        var device = DeviceLifecycle.BeginDecommission(Units.InState(DeviceState.InService), Units.Command, Units.Start).Next;
        device = Units.Take(device, Units.Hello("boot-2", 1));
        var again = Units.Command with { Nonce = new string('d', 32) };
        device = DeviceLifecycle.BeginDecommission(device, again, Units.Start).Next;

        var decision = DeviceMessages.TakeResult(
            device, new ObservedResult(Units.From("boot-2", 1), again.Nonce, true, "", [9]), new NineVerifier(), Units.Start);

        Assert.Equal(DeviceState.Decommissioned, decision.Next.State);
    }

    [Fact]
    public void TakeResult_AfterTheErasure_NamesBothBoots()
    {
        var device = Units.Take(Units.InState(DeviceState.Decommissioning), Units.Hello("boot-2", 1));
        var result = new ObservedResult(Units.From("boot-2", 1), Units.Command.Nonce, true, "", [9]);

        var erasure = DeviceMessages.TakeResult(device, result, new NineVerifier(), Units.Start).Next.Erasure;

        Assert.Equal(("boot-1", "boot-2"), (erasure?.BootIdBefore, erasure?.BootIdAfter));
    }

    [Fact]
    public void Note_OfMoreBootsThanKept_ForgetsTheOldest()
    {
        var device = Units.InState(DeviceState.InService);
        for (var boot = 2; boot <= 20; boot++)
        {
            device = Units.Take(device, Units.Hello($"boot-{boot}", 1));
        }

        Assert.Equal(Device.BootsMax, device.Boots.Length);
        Assert.Equal("boot-20", device.Boots[^1].BootId);
    }

    private static Decision<Device> Take(Device device, UpKind kind, string boot, long sequence) => kind switch
    {
        UpKind.Hello => DeviceMessages.TakeHello(device, Units.Hello(boot, sequence), PolicySet.Empty, Units.Start),
        UpKind.Report => DeviceMessages.TakeReport(device, Units.Report(1, ChangeStep.Downloading, sequence, boot), Units.Start),
        UpKind.Inventory => DeviceMessages.TakeInventory(device, Inventory(boot, sequence, "on"), PolicySet.Empty, Units.Start),
        _ => DeviceMessages.TakeResult(
            device,
            new ObservedResult(Units.From(boot, sequence), Units.Command.Nonce, true, "", [9]),
            new NineVerifier(),
            Units.Start),
    };

    private static ObservedInventory Inventory(string boot, long sequence, string value) =>
        new(Units.From(boot, sequence), [new DeviceSetting("Network.SSH.Enabled", value)]);

    private static DeviceId Other() => DeviceId.TryParse("B8A44F000002", out var id) ? id : throw new FormatException();
}
