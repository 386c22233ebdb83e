using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Decommissioning;

public sealed class ErasureRulesTests
{
    [Fact]
    public void HandOver_WhenTheDeviceTookTheCommand_IsRememberedOnce()
    {
        var decision = ErasureRules.HandOver(Ends.Erasing(), Ends.Device(DeviceState.Decommissioning), refusal: null, Ends.Now);

        Assert.IsType<ErasureOrdered>(decision.Events.Single());
        Assert.Equal(Ends.Now + Erasure.FirstLook, ErasureRules.NextDueAt(decision.Next));
        Assert.Empty(ErasureRules.HandOver(decision.Next, Ends.Device(), refusal: null, Ends.Now).Events);
    }

    [Fact]
    public void HandOver_WhenTheDeviceRefuses_IsTriedAgainLater()
    {
        var refusal = FleetError.Of(ErrorKind.Precondition, "DEVICE_STATE_INVALID", "No.");

        var decision = ErasureRules.HandOver(Ends.Erasing(), device: null, refusal, Ends.Now);

        Assert.False(decision.Next.Erasure!.HandedOver);
        Assert.True(ErasureRules.NextDueAt(decision.Next) > Ends.Now);
    }

    [Fact]
    public void HandOver_WhenThereIsNoDevice_Stalls()
    {
        var refusal = FleetError.Of(ErrorKind.NotFound, "NOT_FOUND", "No.");

        var decision = ErasureRules.HandOver(Ends.Erasing(), device: null, refusal, Ends.Now);

        Assert.IsType<ErasureStalled>(decision.Events.Single());
        Assert.Null(ErasureRules.NextDueAt(decision.Next));
    }

    [Fact]
    public void HandOver_WhenTheAnswerCameBeforeOurCommit_CompletesWithTheEvidence()
    {
        var decision = ErasureRules.HandOver(Ends.Erasing(), Ends.Tombstone("n1"), refusal: null, Ends.Now);

        Assert.Equal(DecommissionState.Completed, decision.Next.State);
    }

    [Theory]
    [InlineData(DeviceState.Expected)]
    [InlineData(DeviceState.Enrolling)]
    [InlineData(DeviceState.InService)]
    [InlineData(DeviceState.Quarantined)]
    [InlineData(DeviceState.Decommissioning)]
    [InlineData(DeviceState.Returned)]
    public void Look_WhileTheDeviceIsNoTombstone_WaitsLonger(DeviceState state)
    {
        var decision = ErasureRules.Look(Ends.HandedOver(), Ends.Device(state), Ends.Command("n2"), Ends.Now);

        Assert.IsType<ErasureAwaited>(decision.Events.Single());
        Assert.Equal(Ends.Now + Erasure.Interval(1), ErasureRules.NextDueAt(decision.Next));
    }

    [Fact]
    public void Look_WhenTheDeviceIsATombstoneWithOurProof_CompletesWithEvidence()
    {
        var decision = ErasureRules.Look(Ends.HandedOver(), Ends.Tombstone("n1"), Ends.Command("n2"), Ends.Now);

        var completed = Assert.IsType<DecommissionCompleted>(decision.Events.Single());
        Assert.Equal("n1", completed.Evidence.Nonce);
        Assert.Equal("boot-2", decision.Next.Evidence?.BootIdAfter);
        Assert.Null(ErasureRules.NextDueAt(decision.Next));
    }

    [Fact]
    public void Look_WhenTheTombstoneHasNoEvidence_NeverCompletes()
    {
        var without = ErasureRules.Look(Ends.HandedOver(), Ends.Device(DeviceState.Decommissioned), Ends.Command("n2"), Ends.Now);
        var ofAnother = ErasureRules.Look(Ends.HandedOver(), Ends.Tombstone("other"), Ends.Command("n2"), Ends.Now);
        var empty = Ends.Tombstone("n1") with { Erasure = Ends.Evidence("n1") with { Proof = [] } };
        var withoutProof = ErasureRules.Look(Ends.HandedOver(), empty, Ends.Command("n2"), Ends.Now);

        Assert.All([without, ofAnother, withoutProof], decision =>
        {
            Assert.IsType<ErasureStalled>(decision.Events.Single());
            Assert.Equal(DecommissionState.Erasing, decision.Next.State);
            Assert.Null(decision.Next.Evidence);
        });
    }

    [Fact]
    public void Look_WhenTheDeviceNeverAnswers_IssuesABoundedNumberOfCommandsAndStalls()
    {
        var current = Ends.Erasing();
        var looks = 0;
        var nonces = new HashSet<string>();

        while (ErasureRules.NextDueAt(current) is { } at && looks < 100_000)
        {
            looks++;
            nonces.Add(current.Erasure!.Command.Nonce);
            current = current.Erasure.HandedOver
                ? ErasureRules.Look(current, Ends.Device(DeviceState.Decommissioning), Ends.Command($"n{looks + 1}", at), at).Next
                : ErasureRules.HandOver(current, Ends.Device(DeviceState.Decommissioning), refusal: null, at).Next;
        }

        Assert.Equal(Erasure.CommandsMax, nonces.Count);
        Assert.Equal(Erasure.CommandsMax, current.Erasure!.Nonces.Length);
        Assert.NotEqual("", current.Erasure.StalledReason);
        // Twelve weeks at a quarter of an hour, and the doublings at each beginning.
        Assert.InRange(looks, 8_000, 8_400);
    }

    [Fact]
    public void Look_WhenAnEarlierCommandsAnswerArrives_CompletesAllTheSame()
    {
        var expired = Ends.Now + Erasure.CommandLifetime;
        var reissued = ErasureRules.Look(Ends.HandedOver(), Ends.Device(DeviceState.Decommissioning), Ends.Command("n2", expired), expired);

        var decision = ErasureRules.HandOver(reissued.Next, Ends.Tombstone("n1"), refusal: null, expired);

        Assert.IsType<ErasureReissued>(reissued.Events.Single());
        Assert.Equal(DecommissionState.Completed, decision.Next.State);
    }

    [Fact]
    public void Interval_Grows_FromTheFirstLookToTheLongest()
    {
        Assert.Equal(Erasure.FirstLook, Erasure.Interval(0));
        Assert.Equal(Erasure.LookIntervalMax, Erasure.Interval(int.MaxValue));
        Assert.All(Enumerable.Range(0, 20), looks => Assert.True(Erasure.Interval(looks) <= Erasure.Interval(looks + 1)));
    }
}
