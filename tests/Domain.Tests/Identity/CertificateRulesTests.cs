using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Identity;

public sealed class CertificateRulesTests
{
    private static readonly DateTimeOffset Now = Units.Start.AddHours(1);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(DeviceState.Expected, "DEVICE_NOT_ENROLLED", "DEVICE_NOT_ENROLLED")]
    [InlineData(DeviceState.Enrolling, "ENROLLMENT_WAITS", "ENROLLMENT_WAITS")]
    [InlineData(DeviceState.InService, null, "CERTIFICATE_WRONG_FOR_CALL")]
    [InlineData(DeviceState.Quarantined, "DEVICE_NOT_IN_SERVICE", "DEVICE_NOT_IN_SERVICE")]
    [InlineData(DeviceState.Decommissioning, "DEVICE_NOT_IN_SERVICE", "DEVICE_NOT_IN_SERVICE")]
    [InlineData(DeviceState.Decommissioned, "DEVICE_DECOMMISSIONED", "DEVICE_DECOMMISSIONED")]
    [InlineData(DeviceState.Returned, "DEVICE_NOT_EXPECTED", "DEVICE_NOT_EXPECTED")]
    [InlineData(DeviceState.Withdrawn, "DEVICE_NOT_EXPECTED", "DEVICE_NOT_EXPECTED")]
    public void Judge_InEveryState_AllowsOrSaysWhyNot(DeviceState state, string? enroll, string? renew)
    {
        var device = Units.InState(state) with { LastHello = new HelloEvidence(Now, IdentityKind.Maker) };

        Assert.Equal(enroll, ReasonOf(device, Units.Identity, CertificateCall.Enroll));
        Assert.Equal(renew, ReasonOf(device, Units.Identity, CertificateCall.Renew));
        Assert.Equal("DEVICE_NOT_EXPECTED", ReasonOf(null, Units.Identity, CertificateCall.Enroll));
    }

    [Theory]
    [InlineData(IdentityKind.Maker, 0, null)]
    [InlineData(IdentityKind.Unspecified, 900, null)]
    [InlineData(IdentityKind.Maker, 901, "HELLO_TOO_OLD")]
    [InlineData(IdentityKind.Maker, -900, null)]
    [InlineData(IdentityKind.Maker, -901, "HELLO_TOO_OLD")]
    [InlineData(IdentityKind.Operational, 0, "HELLO_TOO_OLD")]
    [InlineData(IdentityKind.Vouched, 0, "HELLO_TOO_OLD")]
    public void Judge_OfAFirstCertificate_NeedsAFreshHelloWithTheMakersCertificate(IdentityKind by, int age, string? reason)
    {
        var device = InService() with { LastHello = new HelloEvidence(Now.AddSeconds(-age), by) };

        Assert.Equal(reason, ReasonOf(device, Units.Identity, CertificateCall.Enroll));
        Assert.Equal("HELLO_TOO_OLD", ReasonOf(device with { LastHello = null }, Units.Identity, CertificateCall.Enroll));
    }

    [Fact]
    public void Judge_OfAForeignCertificate_IsRefused()
    {
        var device = InService() with { LastHello = new HelloEvidence(Now, IdentityKind.Maker) };

        Assert.Equal(
            "IDENTITY_MISMATCH",
            ReasonOf(device, Units.Identity with { CertificateSha256 = new string('9', 64) }, CertificateCall.Enroll));
        Assert.Equal("IDENTITY_MISMATCH", ReasonOf(device, Operational(1), CertificateCall.Renew));
    }

    [Fact]
    public void Judge_WithAnOperationalCertificate_RenewsAndDoesNotEnrol()
    {
        var device = Issue(InService(), 1, Now);

        Assert.Equal(
            (CertificateGround.Renewal, null),
            CertificateRules.Judge(device, Operational(1), CertificateCall.Renew, Hash(2), Authority(1), Now));
        Assert.Equal("CERTIFICATE_WRONG_FOR_CALL", ReasonOf(device, Operational(1), CertificateCall.Enroll));
    }

    [Theory]
    [InlineData(CertificateCall.Enroll)]
    [InlineData(CertificateCall.Renew)]
    public void Judge_AfterTheCertificateEnded_TakesTheMakersWithoutAHello(CertificateCall call)
    {
        var device = Issue(InService(), 1, Now);
        var end = device.Certificates[^1].NotAfter;

        Assert.NotNull(CertificateRules.Judge(device, Units.Identity, call, Hash(2), Authority(1), end - Second).Error);
        Assert.Equal((CertificateGround.Lapse, null), CertificateRules.Judge(device, Units.Identity, call, Hash(2), Authority(1), end));
        Assert.Equal("CERTIFICATE_EXPIRED", CertificateRules.CheckState(device, Units.Id, Operational(1), end)!.Reason);
    }

    [Fact]
    public void Judge_AfterTheLastEndedAndTheOneBeforeWasGivenUp_IsALapse()
    {
        var first = Issue(InService(), 1, Now);
        var second = Issue(first, 2, Now.AddHours(1));
        var early = second.Certificates[^1] with { NotAfter = second.Certificates[0].NotAfter.AddDays(-1) };
        var device = second with { Certificates = [second.Certificates[0], early] };

        var (ground, error) = CertificateRules.Judge(device, Units.Identity, CertificateCall.Renew, Hash(3), Authority(1), early.NotAfter);

        Assert.Null(error);
        Assert.Equal(CertificateGround.Lapse, ground);
    }

    [Theory]
    [InlineData(CertificateCall.Enroll)]
    [InlineData(CertificateCall.Renew)]
    public void Judge_WhenTheAnswerToALapseWasLost_TakesTheSameKeyAgain(CertificateCall call)
    {
        var device = Issue(InService(), 1, Now);
        var later = device.Certificates[^1].NotAfter.AddDays(1);
        device = Issue(device, 2, later);

        Assert.Null(CertificateRules.Judge(device, Units.Identity, call, Hash(2), Authority(1), later.AddHours(1)).Error);
        Assert.NotNull(CertificateRules.Judge(device, Units.Identity, call, Hash(3), Authority(1), later.AddHours(1)).Error);
        Assert.Equal(Serial(2), Order(device, 2, later.AddHours(1), serial: 77).Serial);
    }

    [Theory]
    [InlineData(CertificateCall.Enroll, "HELLO_TOO_OLD")]
    [InlineData(CertificateCall.Renew, "CERTIFICATE_WRONG_FOR_CALL")]
    public void Judge_OfTheCurrentKeyWithTheMakersCertificateWhenANewerAuthoritySigns_IsNoRepetition(CertificateCall call, string reason)
    {
        var device = Issue(InService(), 1, Now);
        var later = Now.AddDays(1);

        Assert.Null(CertificateRules.Judge(device, Units.Identity, call, Hash(1), Authority(1), later).Error);
        Assert.Equal(reason, CertificateRules.Judge(device, Units.Identity, call, Hash(1), Authority(2), later).Error?.Reason);
        var fresh = device with { LastHello = new HelloEvidence(later, IdentityKind.Maker) };
        Assert.Equal(
            (CertificateGround.Hello, null),
            CertificateRules.Judge(fresh, Units.Identity, CertificateCall.Enroll, Hash(1), Authority(2), later));
        Assert.Equal(
            (CertificateGround.Renewal, null),
            CertificateRules.Judge(device, Operational(1), CertificateCall.Renew, Hash(1), Authority(2), later));
        var end = device.Certificates[^1].NotAfter;
        Assert.Equal(
            (CertificateGround.Lapse, null), CertificateRules.Judge(device, Units.Identity, call, Hash(1), Authority(2), end));
    }

    [Theory]
    [InlineData(CertificateGround.Lapse, false, "HELLO_TOO_OLD")]
    [InlineData(CertificateGround.Lapse, true, null)]
    [InlineData(CertificateGround.Hello, false, null)]
    [InlineData(CertificateGround.Renewal, false, null)]
    public void CheckRenumbered_OfARepetitionOnTheMakersCertificate_GivesNothingNew(
        CertificateGround ground, bool hasLapsed, string? reason)
    {
        var device = Issue(InService(), 1, Now);
        var now = hasLapsed ? device.Certificates[^1].NotAfter : Now.AddHours(1);

        Assert.Equal(reason, CertificateRules.CheckRenumbered(device, ground, CertificateCall.Enroll, now)?.Reason);
    }

    [Fact]
    public void Order_OfTheFirst_NamesTheDeviceForAboutAMonth()
    {
        var order = Order(InService(), 1, Now);

        Assert.Equal(new CertificateSubject(TenantId.Default, "axis", Units.Id), order.Subject);
        Assert.Equal(Now - CertificateTerms.Backdating, order.NotBefore);
        Assert.InRange(order.NotAfter - Now, CertificateTerms.Lifetime * 0.9, CertificateTerms.Lifetime);
    }

    [Fact]
    public void Order_OfManySerials_SpreadsTheEnds()
    {
        var ends = Enumerable.Range(0, 1000)
            .Select(n => CertificateTerms.ValidityOf(new CertificateSerial(1, (ulong)n * 7919), DateTimeOffset.MaxValue, Now).NotAfter)
            .ToArray();

        Assert.All(ends, end => Assert.InRange(end - Now, CertificateTerms.Lifetime * 0.9, CertificateTerms.Lifetime));
        Assert.True(ends.Distinct().Count() > 900);
    }

    [Fact]
    public void Order_OfTheSameKeyAgain_GivesTheSame()
    {
        var device = Issue(InService(), 1, Now);
        var first = Order(InService(), 1, Now);
        var renewFrom = CertificateTerms.RenewFrom(device.Certificates[0]);

        var again = Order(device, 1, Now.AddDays(5), serial: 77);

        Assert.Equal(first with { PublicKey = again.PublicKey }, again);
        Assert.True(Decide(device, again, CertificateGround.Hello, Now.AddDays(5)).Events.IsEmpty);
        Assert.NotEqual(first.Serial, Order(device, 1, renewFrom, serial: 77).Serial);
        Assert.NotEqual(first.Serial, Order(device, 1, Now.AddDays(5), serial: 77, generation: 2).Serial);
    }

    [Fact]
    public void Order_NearTheEndOfTheAuthority_EndsWithIt()
    {
        var authority = new IssuingAuthority(1, Now.AddDays(3));

        var (order, _) = CertificateRules.Order(
            InService(), new RequestedCertificate(Hash(1), [1]), Serial(1), authority, Now);

        Assert.Equal(authority.NotAfter, order!.NotAfter);
    }

    [Fact]
    public void CheckPace_OfANewKey_WaitsForTwoThirdsOfTheLifeOrANewerAuthority()
    {
        var device = Decide(InService(), Order(InService(), 1, Now), CertificateGround.Hello, Now).Next;
        var renewFrom = CertificateTerms.RenewFrom(device.Certificates[0]);

        string? Reason(ulong key, CertificateGround ground, int generation, DateTimeOffset now) =>
            CertificateRules.CheckPace(device, ground, Hash(key), Authority(generation), now)?.Reason;

        Assert.Equal("CERTIFICATE_RENEWAL_EARLY", Reason(2, CertificateGround.Renewal, 1, renewFrom.AddSeconds(-1)));
        Assert.Null(Reason(2, CertificateGround.Renewal, 1, renewFrom));
        Assert.Null(Reason(1, CertificateGround.Renewal, 1, Now));
        Assert.Null(Reason(2, CertificateGround.Renewal, 2, Now));
        Assert.Null(Reason(2, CertificateGround.Hello, 1, Now));
        Assert.Null(Reason(2, CertificateGround.Lapse, 1, Now));
    }

    [Fact]
    public void IsAnother_OfTheSameSerialWithOtherBytes_IsRenumbered()
    {
        var order = Order(InService(), 1, Now);
        var device = Decide(InService(), order, CertificateGround.Hello, Now).Next;
        var issued = device.Certificates[0].Certificate;

        Assert.False(CertificateRules.IsAnother(device, order, issued));
        Assert.True(CertificateRules.IsAnother(device, order, Hash(4711)));
        var next = CertificateRules.Renumber(order, Serial(2), Authority(1), Now.AddDays(1));
        Assert.Equal((Serial(2), order.Key), (next.Serial, next.Key));
        Assert.True(next.NotAfter > order.NotAfter.AddHours(-73));
    }

    [Fact]
    public void Order_ForTheMakersKey_IsRefused()
    {
        var makers = Sha256Hash.TryParse(Units.Identity.KeySha256, out var key) ? key : default;

        var (order, error) = CertificateRules.Order(InService(), new RequestedCertificate(makers, [1]), Serial(1), Authority(1), Now);

        Assert.Null(order);
        Assert.Equal("SIGNING_REQUEST_INVALID", error!.Reason);
    }

    [Fact]
    public void Order_OfAThirdKeyWithinTheOverlap_IsRefused()
    {
        var device = Issue(Issue(InService(), 1, Now), 2, Now.AddDays(10));
        var end = Now.AddDays(10) + CertificateTerms.Overlap;

        Assert.Equal("CERTIFICATE_OVERLAP", OrderRefusal(device, 3, end - Second));
        Assert.Equal("CERTIFICATE_OVERLAP", OrderRefusal(device, 1, end - Second));
        Assert.Null(OrderRefusal(device, 2, end - Second));
        Assert.Null(OrderRefusal(device, 3, end));
    }

    [Fact]
    public void Issue_OfAFirst_IsOneFact()
    {
        var order = Order(InService(), 1, Now);

        var decision = Decide(InService(), order, CertificateGround.Hello, Now);

        Assert.Equal(
            new CertificateIssued(order.Serial, 1, Hash(1001), Hash(1), order.NotAfter, CertificateGround.Hello),
            Assert.Single(decision.Events));
        Assert.Equal(order.NotAfter, Assert.Single(decision.Next.Certificates).AcceptedUntil);
    }

    [Fact]
    public void Issue_OfANewKey_KeepsTheOldOneForTheOverlap()
    {
        var device = Issue(Issue(InService(), 1, Now), 2, Now.AddDays(10));

        Assert.Equal([Serial(1), Serial(2)], device.Certificates.Select(certificate => certificate.Serial));
        Assert.Equal(Now.AddDays(10) + CertificateTerms.Overlap, device.Certificates[0].AcceptedUntil);
        Assert.Null(Admit(device, 1, Now.AddDays(13) - Second));
        Assert.Equal("CERTIFICATE_EXPIRED", Admit(device, 1, Now.AddDays(13)));
        Assert.Null(Admit(device, 2, Now.AddDays(13)));
    }

    [Fact]
    public void Issue_OfAThird_RevokesTheFirstThatHasNotEnded()
    {
        var device = Issue(Issue(InService(), 1, Now), 2, Now.AddDays(10));

        var decision = Decide(device, Order(device, 3, Now.AddDays(20)), CertificateGround.Renewal, Now.AddDays(20));

        Assert.Contains(new CertificateRevoked(Serial(1), 1, RevocationCause.Superseded), decision.Events);
        Assert.Equal([Serial(2), Serial(3)], decision.Next.Certificates.Select(certificate => certificate.Serial));
        Assert.Equal(Serial(1), Assert.Single(decision.Next.RevokedCertificates).Serial);
        Assert.Equal("IDENTITY_MISMATCH", Admit(decision.Next, 1, Now.AddDays(20)));
    }

    [Fact]
    public void Issue_AsOftenAsAllowed_KeepsRecordAndListSmall()
    {
        var device = Issue(InService(), 1, Now);
        for (ulong n = 2; n < 60; n++)
        {
            device = Issue(device, n, Now.AddDays(3 * (n - 1)));
            Assert.InRange(device.RevokedCertificates.Length, 0, CertificateRules.RevokedMax - 1);
            Assert.Equal(CertificateRules.CertificatesMax, device.Certificates.Length);
        }
    }

    [Fact]
    public void Complete_OfADecommission_RevokesWhatHasNotEnded()
    {
        var device = Issue(Issue(InService(), 1, Now), 2, Now.AddDays(10)) with { State = DeviceState.Decommissioning };

        var decision = DeviceLifecycle.CompleteDecommission(device, Units.Evidence, Now.AddDays(28));

        Assert.Contains(new CertificateRevoked(Serial(2), 1, RevocationCause.Decommissioned), decision.Events);
        Assert.Empty(decision.Next.Certificates);
        Assert.Equal("DEVICE_DECOMMISSIONED", Admit(decision.Next, 2, Now.AddDays(28)));
    }

    [Fact]
    public void Check_OfAnExpectedDevice_DoesNotTakeAnOperationalCertificate()
    {
        Assert.Null(DeviceAdmission.Check(Units.InState(DeviceState.Expected), Units.Id, Units.Identity, Now));
        Assert.Equal("IDENTITY_MISMATCH", Admit(Units.InState(DeviceState.Expected), 1, Now));
    }

    [Fact]
    public void Check_OfAnOperationalCertificate_OfAnotherProfileOrDevice_IsRefused()
    {
        var device = Issue(InService(), 1, Now);
        var other = DeviceId.TryParse("B8A44F000002", out var id) ? id : throw new FormatException();

        Assert.Null(Admit(device, 1, Now));
        Assert.NotNull(DeviceAdmission.Check(device, Units.Id, Operational(1) with { Profile = "ieee8021ar" }, Now));
        Assert.NotNull(DeviceAdmission.Check(device, Units.Id, Operational(1) with { Device = other }, Now));
    }

    [Fact]
    public void TakeHello_NotesWhenAndByWhichKindOfCertificate()
    {
        var device = Issue(InService(), 1, Now);
        var hello = Units.Hello("boot-2", 1) with { Origin = Units.From("boot-2", 1, identity: Operational(1)) };

        var taken = DeviceMessages.TakeHello(device, hello, PolicySet.Empty, Now.AddDays(1)).Next;

        Assert.Equal(new HelloEvidence(Now.AddDays(1), IdentityKind.Operational), taken.LastHello);
        Assert.Equal(Units.Identity, taken.Identity);
        Assert.Equal("HELLO_TOO_OLD", CertificateRules.Judge(
            taken, Units.Identity, CertificateCall.Enroll, Hash(9), Authority(1), Now.AddDays(1)).Error!.Reason);
    }

    [Fact]
    public void Order_OfTheSameKeyAgain_BringsTheKeptSignature()
    {
        var first = Order(InService(), 1, Now) with { Signature = "c2lnbmVk" };
        var device = Decide(InService(), first, CertificateGround.Hello, Now).Next;

        var again = Order(device, 1, Now.AddDays(5), serial: 77);

        Assert.Equal("c2lnbmVk", Assert.Single(device.Certificates).Signature);
        Assert.Equal("c2lnbmVk", again.Signature);
        Assert.Null(CertificateRules.Renumber(again, Serial(78), Authority(1), Now).Signature);
        Assert.Null(Order(device, 2, Now.AddDays(5)).Signature);
    }

    private static Device InService() => Units.InState(DeviceState.InService);

    private static Sha256Hash Hash(ulong n) => new(0, 0, 0, n);

    private static CertificateSerial Serial(ulong n) => new(1, n);

    private static DeviceIdentity Operational(ulong n) => Units.Identity with
    {
        CertificateSha256 = Hash(1000 + n).ToString(),
        KeySha256 = Hash(n).ToString(),
        Kind = IdentityKind.Operational,
    };

    private static string? ReasonOf(Device? device, DeviceIdentity identity, CertificateCall call) =>
        (CertificateRules.CheckState(device, Units.Id, identity, Now)
            ?? CertificateRules.Judge(device!, identity, call, Hash(9), Authority(1), Now).Error)?.Reason;

    private static string? Admit(Device device, ulong n, DateTimeOffset now) =>
        DeviceAdmission.Check(device, Units.Id, Operational(n), now)?.Reason;

    private static string? OrderRefusal(Device device, ulong key, DateTimeOffset now) =>
        CertificateRules.Order(device, new RequestedCertificate(Hash(key), [1]), Serial(99), Authority(1), now).Error?.Reason;

    private static CertificateOrder Order(Device device, ulong key, DateTimeOffset now, ulong? serial = null, int generation = 1) =>
        CertificateRules.Order(
            device,
            new RequestedCertificate(Hash(key), ImmutableArray.Create<byte>(1)),
            Serial(serial ?? key),
            Authority(generation),
            now).Order!;

    private static IssuingAuthority Authority(int generation) => new(generation, Now.AddYears(10));

    private static Decision<Device> Decide(Device device, CertificateOrder order, CertificateGround ground, DateTimeOffset now) =>
        CertificateRules.Issue(device, order, Hash(1000 + order.Key.Fourth), ground, now);

    private static Device Issue(Device device, ulong key, DateTimeOffset now) =>
        Decide(device, Order(device, key, now), CertificateGround.Renewal, now).Next;
}
