using System.Collections.Immutable;
using System.Security.Cryptography;
using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Grains.Devices;
using Muster.Grains.Tests.Lifecycle;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceCertificatesTests(DeviceSilo silo)
{
    private static int _request = 1;

    [Fact]
    public async Task IssueAsync_AfterAHello_IssuesOnceAndGivesItAgain()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var request = NewRequest();

        var first = await IssueAsync(unit, request);
        await silo.ForgetAsync(unit.GrainId);
        var second = await IssueAsync(unit, request);

        Assert.Null(first.Error);
        Assert.NotEmpty(first.Certificate);
        Assert.Equal(first.Certificate, second.Certificate);
        Assert.Equal(1, (await unit.FactsAsync()).Count(fact => fact == nameof(CertificateIssued)));
        var known = Assert.Single((await unit.GetAsync()).Certificates);
        Assert.Equal(Sha256Hash.Of(SHA256.HashData(first.Certificate.AsSpan())), known.Certificate);
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task IssueAsync_WhenTheWriteFails_IsAnsweredTheNextTime(StorageFault fault)
    {
        var unit = await new Unit(silo).EnrolAsync();
        var request = NewRequest();
        silo.FailNextWrite(unit.GrainId, fault);

        await Assert.ThrowsAnyAsync<Exception>(() => IssueAsync(unit, request));
        var reply = await IssueAsync(unit, request);

        Assert.Null(reply.Error);
        Assert.Equal(1, (await unit.FactsAsync()).Count(fact => fact == nameof(CertificateIssued)));
    }

    [Fact]
    public async Task IssueAsync_WhileTheKeyIsOutOfReach_ChangesNothingAndSaysSo()
    {
        var unit = await new Unit(silo).EnrolAsync();

        var reply = await IssueAsync(unit, [.. NewRequest(), PlayedIssuer.Unreachable]);

        Assert.Equal((ErrorKind.Unavailable, "FLEET_CA_KEY_UNREACHABLE"), (reply.Error!.Kind, reply.Error.Reason));
        Assert.Empty((await unit.GetAsync()).Certificates);
        Assert.Null((await IssueAsync(unit, NewRequest())).Error);
    }

    [Fact]
    public async Task IssueAsync_ForAKeyOfAnotherDevice_IsRefused()
    {
        var (one, other) = (await new Unit(silo).EnrolAsync(), await new Unit(silo).EnrolAsync());
        var request = NewRequest();
        await IssueAsync(one, request);

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await IssueAsync(other, request)).Error?.Reason);
        Assert.Equal("SIGNING_REQUEST_INVALID", (await IssueAsync(other, [])).Error?.Reason);
        Assert.DoesNotContain(nameof(CertificateIssued), await other.FactsAsync());
    }

    [Fact]
    public async Task IssueAsync_WhileTheApprovalIsOutstanding_WaitsAndThenIssues()
    {
        var unit = new Unit(silo);
        await unit.ExpectAsync(EnrollmentApproval.Manual);
        await unit.ConnectAsync();
        var request = NewRequest();

        Assert.Equal("DEVICE_NOT_ENROLLED", (await IssueAsync(unit, request)).Error?.Reason);
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));
        Assert.Equal("ENROLLMENT_WAITS", (await IssueAsync(unit, request)).Error?.Reason);
        await unit.Grain.ApproveEnrollmentAsync(new ApproveEnrollment(Unit.Anna));

        Assert.Null((await IssueAsync(unit, request)).Error);
    }

    [Fact]
    public async Task EveryMessage_WithTheOperationalCertificate_IsOfTheSameDevice()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var operational = await OperationalOfAsync(unit, NewRequest());
        var envelope = unit.Envelope("boot-1", 2) with { Identity = operational };

        Assert.Null((await unit.Grain.AdmitAsync(new AdmitSession(operational, false, null, "gateway-1"))).Error);
        Assert.Null((await unit.Grain.StatusAsync(new ReportStatus(envelope, new DeviceHealth(1, null, "")))).Error);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-1", 2) with { Envelope = envelope })).Error);
        Assert.Equal(unit.Identity.CertificateSha256, (await unit.GetAsync()).Identity!.CertificateSha256);
        Assert.Equal("HELLO_TOO_OLD", (await IssueAsync(unit, NewRequest())).Error?.Reason);
        Assert.Equal(
            "CERTIFICATE_RENEWAL_EARLY", (await IssueAsync(unit, NewRequest(), CertificateCall.Renew, operational)).Error?.Reason);
    }

    [Fact]
    public async Task IssueAsync_MoreOftenThanADeviceDoes_IsRefusedUntilTheNextMinute()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = await new Unit(own).EnrolAsync();
        var request = NewRequest();

        for (var call = 0; call < DeviceGrain.IssueCallsMax; call++)
        {
            Assert.Null((await IssueAsync(unit, request, of: own)).Error);
        }

        Assert.Equal("ISSUANCE_RATE_REACHED", (await IssueAsync(unit, request, of: own)).Error?.Reason);
        own.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null((await IssueAsync(unit, request, of: own)).Error);
    }

    [Fact]
    public async Task IssueAsync_OfMoreLapsedDevicesOfASiteThanAMinuteAllows_IsRefusedUntilTheNext()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var lapsed = new List<(Unit Unit, ImmutableArray<byte> Request)>();
        for (var i = 0; i <= RenewalPace.DevicesMax; i++)
        {
            lapsed.Add((await new Unit(own).EnrolAsync(), NewRequest()));
            Assert.Null((await IssueAsync(lapsed[^1].Unit, NewRequest(), of: own)).Error);
        }

        own.Clock.Advance(CertificateTerms.Lifetime);
        foreach (var (unit, wanted) in lapsed[..^1])
        {
            // What is given again does not count.
            var first = await IssueAsync(unit, wanted, of: own);
            Assert.Equal(first.Certificate, (await IssueAsync(unit, wanted, of: own)).Certificate);
            Assert.Null(first.Error);
        }

        var (last, request) = lapsed[^1];
        var refused = await IssueAsync(last, request, of: own);
        Assert.Equal((ErrorKind.Exhausted, "RENEWAL_RATE_REACHED"), (refused.Error?.Kind, refused.Error?.Reason));
        Assert.Empty(refused.Certificate);
        Assert.Single((await last.GetAsync()).Certificates);
        own.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null((await IssueAsync(last, request, of: own)).Error);
        Assert.Equal(CertificateGround.Lapse, await GroundOfLastAsync(own, last));
    }

    [Fact]
    public async Task IssueAsync_OfARepetitionThatTheAuthorityWouldWordInAnotherWay_NeedsAHello()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = await new Unit(own).EnrolAsync();
        ImmutableArray<byte> request = [.. NewRequest(), PlayedIssuer.Reworded];
        Assert.Null((await IssueAsync(unit, request, of: own)).Error);
        own.Clock.Advance(CertificateTerms.HelloAgeMax + TimeSpan.FromSeconds(1));

        Assert.Equal("HELLO_TOO_OLD", (await IssueAsync(unit, request, of: own)).Error?.Reason);
        Assert.Single((await unit.GetAsync()).Certificates);
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 2));

        Assert.Null((await IssueAsync(unit, request, of: own)).Error);
        Assert.Equal(CertificateGround.Hello, await GroundOfLastAsync(own, unit));
    }

    [Fact]
    public void TryTake_OfDevicesWithoutASite_SharesALargerPace()
    {
        var pace = new RenewalPace(new SteppedClock(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero)));

        Assert.All(Enumerable.Range(0, RenewalPace.WithoutSiteMax), _ => Assert.True(pace.TryTake(TenantId.Default, "")));

        Assert.False(pace.TryTake(TenantId.Default, ""));
        Assert.True(pace.TryTake(TenantId.Default, "lab"));
    }

    [Fact]
    public async Task StatusAsync_OverAConnectionThatOutlivesItsCertificate_IsRefused()
    {
        // A silo of its own: nobody else's clock may leap a month. Called inside of it, so that the identity is one object, and the grain
        // keeps what it found of it.
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var unit = await new Unit(own).EnrolAsync();
        var operational = await OperationalOfAsync(unit, NewRequest(), own);
        var envelope = unit.Envelope("boot-1", 1) with { Identity = operational, Session = unit.Session(0) };
        var grain = own.GrainsInside.GetDevice(unit.Tenant, unit.Id);
        Assert.Null((await grain.StatusAsync(new ReportStatus(envelope, new DeviceHealth(1, null, "")))).Error);

        own.Clock.Advance(TimeSpan.FromDays(31));

        var late = new ReportStatus(envelope with { Stamp = new MessageStamp("boot-1", 9) }, new DeviceHealth(2, null, ""));
        Assert.Equal("CERTIFICATE_EXPIRED", (await grain.StatusAsync(late)).Error?.Reason);
        Assert.Null((await IssueAsync(unit, NewRequest(), of: own)).Error);
        Assert.Equal(CertificateGround.Lapse, await GroundOfLastAsync(own, unit));
    }

    [Fact]
    public async Task IssueAsync_WhenQuarantinedOrGone_IsRefused()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var operational = await OperationalOfAsync(unit, NewRequest());
        await unit.Grain.QuarantineAsync(new QuarantineDevice(Unit.Anna, "looks odd"));

        Assert.Equal(
            "DEVICE_NOT_IN_SERVICE", (await IssueAsync(unit, NewRequest(), CertificateCall.Renew, operational)).Error?.Reason);
        await unit.Grain.ReleaseAsync(new ReleaseDevice(Unit.Anna, "was a cat"));
        await unit.Grain.BeginDecommissionAsync(new BeginDecommission(Unit.Anna, Unit.Command()));
        await unit.Grain.ResultAsync(unit.Result("boot-2", 1, 9));

        Assert.Equal(
            "DEVICE_DECOMMISSIONED", (await IssueAsync(unit, NewRequest(), CertificateCall.Renew, operational)).Error?.Reason);
        Assert.Contains(nameof(CertificateRevoked), await unit.FactsAsync());
        Assert.Equal(
            "DEVICE_DECOMMISSIONED",
            (await unit.Grain.AdmitAsync(new AdmitSession(operational, false, null, "gateway-1"))).Error?.Reason);
    }

    [Fact]
    public void TryTake_BeyondThePaceOfASite_WaitsForTheNextMinute()
    {
        var clock = new SteppedClock(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
        var pace = new RenewalPace(clock);
        Assert.True(TenantId.TryParse("other", out var other));

        Assert.All(Enumerable.Range(0, RenewalPace.DevicesMax), _ => Assert.True(pace.TryTake(TenantId.Default, "lab")));

        Assert.False(pace.TryTake(TenantId.Default, "lab"));
        Assert.True(pace.TryTake(TenantId.Default, "roof"));
        Assert.True(pace.TryTake(other, "lab"));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(pace.TryTake(TenantId.Default, "lab"));
    }

    [Fact]
    public void TryTake_OfMoreSitesThanAreCounted_RefusesOthers()
    {
        var pace = new RenewalPace(new SteppedClock(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero)));

        Assert.All(Enumerable.Range(0, RenewalPace.SitesMax), n => Assert.True(pace.TryTake(TenantId.Default, $"site-{n}")));

        Assert.False(pace.TryTake(TenantId.Default, "one more"));
        Assert.True(pace.TryTake(TenantId.Default, "site-0"));
    }

    private static async Task<CertificateGround> GroundOfLastAsync(DeviceSilo of, Unit unit) =>
        (await of.EntriesOfAsync(unit.GrainId)).Select(entry => entry.Fact).OfType<CertificateIssued>().Last().Ground;

    private static ImmutableArray<byte> NewRequest() => [.. BitConverter.GetBytes(Interlocked.Increment(ref _request))];

    private Task<CertificateReply> IssueAsync(
        Unit unit,
        ImmutableArray<byte> request,
        CertificateCall call = CertificateCall.Enroll,
        DeviceIdentity? identity = null,
        DeviceSilo? of = null) => (of ?? silo)
        .Grains.GetDeviceCertificates(unit.Tenant, unit.Id)
        .IssueAsync(new IssueCertificate(identity ?? unit.Identity, call, request));

    private async Task<DeviceIdentity> OperationalOfAsync(Unit unit, ImmutableArray<byte> request, DeviceSilo? of = null)
    {
        var reply = await IssueAsync(unit, request, of: of);
        Assert.Null(reply.Error);
        return unit.Identity with
        {
            Certificate = Sha256Hash.Of(SHA256.HashData(reply.Certificate.AsSpan())),
            Key = Sha256Hash.Of(SHA256.HashData(request.AsSpan())),
            Kind = IdentityKind.Operational,
        };
    }
}
