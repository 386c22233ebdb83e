using Muster.Domain.CertificateStatus;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Tests.CertificateStatus;

public sealed class StatusRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-1, 1, true)]
    [InlineData(0, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(-2, 0, false)]
    public void IsInForce_FromTheRevocationToItsOwnEnd(int revokedHours, int endHours, bool isInForce) => Assert.Equal(
        isInForce,
        StatusRules.IsInForce(
            Revoked(1) with { RevokedAt = Now.AddHours(revokedHours), NotAfter = Now.AddHours(endHours) }, Now));

    [Fact]
    public void IsInForce_OfATombstoneThatAClockAheadDated_IsFromTheStart()
    {
        var tombstone = Revoked(1, RevocationCause.Decommissioned) with { RevokedAt = Now.AddHours(1), NotAfter = Now.AddHours(2) };

        Assert.True(StatusRules.IsInForce(tombstone, Now));
        Assert.False(StatusRules.IsInForce(tombstone, Now.AddHours(2)));
    }

    [Fact]
    public void IsDue_ForATombstone_IsAtOnce_ForAReplacedOne_WithinTheHour()
    {
        var empty = StatusRules.Next(null, 1, [], Now);
        var tombstone = RevocationContents.Of([Revoked(1, RevocationCause.Decommissioned)]);
        var replaced = RevocationContents.Of([Revoked(2)]);

        Assert.True(StatusRules.IsDue(null, empty.Contents, Now));
        Assert.False(StatusRules.IsDue(empty, empty.Contents, Now.AddHours(11)));
        Assert.True(StatusRules.IsDue(empty, empty.Contents, Now + StatusRules.ListAgeMax));
        Assert.True(StatusRules.IsDue(empty, tombstone, Now.AddSeconds(1)));
        Assert.False(StatusRules.IsDue(empty, replaced, Now + StatusRules.SupersededDelay - TimeSpan.FromSeconds(1)));
        Assert.True(StatusRules.IsDue(empty, replaced, Now + StatusRules.SupersededDelay));
    }

    [Fact]
    public void Next_IsNumberedUpward_AlsoWhenTheClockWentBack()
    {
        var first = StatusRules.Next(null, 1, [], Now);
        var second = StatusRules.Next(first, 1, [], Now.AddMinutes(1));
        var third = StatusRules.Next(second, 1, [], Now.AddDays(-1));

        Assert.Equal(Now.ToUnixTimeMilliseconds(), first.Number);
        Assert.True(first.Number < second.Number && second.Number < third.Number);
        Assert.Equal(first.ThisUpdate + StatusRules.ListLifetime, first.NextUpdate);
    }

    [Fact]
    public void Contents_TellSetsApart_InAnyOrder()
    {
        var (one, other) = (Revoked(1), Revoked(2));

        Assert.Equal(RevocationContents.Of([one, other]), RevocationContents.Of([other, one]));
        Assert.NotEqual(RevocationContents.Of([one]), RevocationContents.Of([other]));
        Assert.NotEqual(RevocationContents.Of([one]), RevocationContents.Of([one with { Cause = RevocationCause.Decommissioned }]));
    }

    [Fact]
    public void Bound_LeavesOutReplacedOnesThatEndSoonest()
    {
        var tombstone = Revoked(1, RevocationCause.Decommissioned) with { NotAfter = Now.AddHours(1) };
        var (soon, late) = (Revoked(2) with { NotAfter = Now.AddDays(1) }, Revoked(3) with { NotAfter = Now.AddDays(2) });

        Assert.Equal([tombstone, late], StatusRules.Bound([soon, late, tombstone], 2));
    }

    [Fact]
    public void RevocationsOf_ADeviceInItsOverlap_NamesWhenItEnds()
    {
        var current = new OperationalCertificate(Serial(2), 1, default, default, Now, Now.AddDays(30));
        var replaced = new OperationalCertificate(Serial(1), 1, default, default, Now.AddDays(-20), Now.AddDays(10))
        {
            ReplacedUntil = Now.AddDays(3),
        };
        var device = Devices.Units.InState(DeviceState.InService) with { Certificates = [replaced, current] };

        Assert.Equal(
            new RevokedCertificate(Serial(1), 1, RevocationCause.Superseded, Now.AddDays(3), Now.AddDays(10)),
            Assert.Single(StatusRules.RevocationsOf(device)));
        Assert.Empty(StatusRules.RevocationsOf(device with { Certificates = [current] }));
        Assert.Empty(StatusRules.RevocationsOf(device with
        {
            Certificates = [replaced with { NotAfter = Now.AddDays(2) }, current],
        }));
    }

    private static CertificateSerial Serial(ulong number) => new(0x4000_0000_0000_0000 + number, number * 7919);

    private static RevokedCertificate Revoked(ulong number, RevocationCause cause = RevocationCause.Superseded) =>
        new(Serial(number), 1, cause, Now.AddDays(-1), Now.AddDays(10));
}
