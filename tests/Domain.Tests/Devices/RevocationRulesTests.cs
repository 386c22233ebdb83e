using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Trust;

namespace Muster.Domain.Tests.Devices;

public sealed class RevocationRulesTests
{
    [Fact]
    public void EffectOf_ATombstone_EndsAll() =>
        Assert.Equal(RevocationEffect.End, RevocationRules.EffectOf(new DeviceDecommissioned("", "")));

    [Fact]
    public void EffectOf_WhatMayTakeARightAway_IsJudged()
    {
        Assert.Equal(RevocationEffect.Judge, RevocationRules.EffectOf(new DeviceQuarantined("")));
        Assert.Equal(RevocationEffect.Judge, RevocationRules.EffectOf(new CloneSuspected(null!)));
        Assert.Equal(RevocationEffect.Judge, RevocationRules.EffectOf(new DecommissionBegun("")));
        Assert.Equal(RevocationEffect.Judge, RevocationRules.EffectOf(new DeviceEnrolling("", "", "")));
        Assert.Equal(
            RevocationEffect.Judge, RevocationRules.EffectOf(new CertificateRevoked(default, 1, RevocationCause.Superseded)));
    }

    [Fact]
    public void EffectOf_WhatDevicesSayAllDay_IsNothing()
    {
        Assert.Equal(RevocationEffect.None, RevocationRules.EffectOf(new DeviceHelloTaken(null!, 1)));
        Assert.Equal(RevocationEffect.None, RevocationRules.EffectOf(new DeviceInventoryTaken(1, true)));
        Assert.Equal(RevocationEffect.None, RevocationRules.EffectOf(new DeviceAlarmChanged(AlarmKind.CasingOpen, "", true)));
        Assert.Equal(RevocationEffect.None, RevocationRules.EffectOf(new TrustFindingsChanged([], [])));
    }

    [Fact]
    public void EffectOf_AFactThatTheRulesDoNotName_IsJudged() =>
        Assert.Equal(RevocationEffect.Judge, RevocationRules.EffectOf(new Unheard()));

    private sealed record Unheard : DomainEvent;
}
