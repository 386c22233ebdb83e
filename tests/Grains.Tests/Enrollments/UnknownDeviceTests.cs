using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Enrollments;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Muster.Domain.Trust;
using Muster.Grains.Tests.Devices;

namespace Muster.Grains.Tests.Enrollments;

/// <summary>A silo whose installation lets unknown devices apply.</summary>
public sealed class OpenSilo : IAsyncLifetime
{
    public DeviceSilo Silo { get; } = new() { UnknownDevicesMayApply = true };

    public ValueTask InitializeAsync() => Silo.InitializeAsync();

    public ValueTask DisposeAsync() => Silo.DisposeAsync();
}

public sealed class UnknownDeviceTests(OpenSilo open) : IClassFixture<OpenSilo>
{
    private DeviceSilo Silo => open.Silo;

    [Fact]
    public async Task HelloAsync_OfAnUnknownDevice_WaitsWithoutADeviceRecordAndIsToldSo()
    {
        var unit = new Unit(Silo);
        Assert.Null((await unit.ConnectAsync()).Error);

        var told = await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));

        Assert.Equal("ENROLLMENT_REQUEST_WAITS", told.Error?.Reason);
        Assert.Contains(told.Error!.Metadata, detail => detail is { Key: "retry_after_seconds", Value: "300" });
        Assert.Equal("NOT_FOUND", (await unit.Grain.GetAsync()).Error?.Reason);
        Assert.Empty(await unit.FactsAsync());
        var request = (await GrainOf(unit).GetAsync()).Request!;
        Assert.Equal((EnrollmentRequestState.Waiting, unit.Identity.CertificateSha256, Unit.Model),
            (request.State, request.Evidence.Identity.CertificateSha256, request.Evidence.Model));
        Assert.Equal("ENROLLMENT_WAITS", (await IssueAsync(unit)).Error?.Reason);
    }

    [Fact]
    public async Task HelloAsync_OverAndOver_CommitsOnce()
    {
        var unit = new Unit(Silo);
        await unit.ConnectAsync();
        for (var i = 1; i <= 20; i++)
        {
            Assert.Equal("ENROLLMENT_REQUEST_WAITS", (await unit.Grain.HelloAsync(unit.Hello($"boot-{i}", i))).Error?.Reason);
            Assert.Equal("ENROLLMENT_REQUEST_WAITS", (await unit.ConnectAsync()).Error?.Reason);
        }

        Assert.Single(await Silo.EntriesOfAsync(GrainOf(unit).GetGrainId()));
    }

    [Fact]
    public async Task DenyAsync_OfADeviceThatWaits_RefusesItsConnectionsUntilTheSilenceEnds()
    {
        var unit = new Unit(Silo);
        await WaitAsync(unit);

        Assert.Null((await GrainOf(unit).DenyAsync(Unit.Anna, "not ours")).Error);

        Assert.Equal("ENROLLMENT_DENIED", (await unit.ConnectAsync()).Error?.Reason);
        Assert.Equal("ENROLLMENT_DENIED", (await unit.Grain.HelloAsync(unit.Hello("boot-1", 2))).Error?.Reason);
        Assert.Equal("ENROLLMENT_DENIED", (await IssueAsync(unit)).Error?.Reason);
        await Silo.ForgetAsync(GrainOf(unit).GetGrainId());
        await Silo.ForgetAsync(unit.GrainId);
        Assert.Equal("ENROLLMENT_DENIED", (await unit.ConnectAsync()).Error?.Reason);
        Assert.Equal(Unit.Anna, (await Silo.EntriesOfAsync(GrainOf(unit).GetGrainId()))[^1].Actor);

        Silo.Clock.Advance(EnrollmentRequestRules.SilenceMin);
        await WaitAsync(unit);
    }

    [Fact]
    public async Task ExpectAsync_OfADeviceThatWaits_LetsTheNextHelloEnrolItWithItsEvidence()
    {
        var unit = new Unit(Silo);
        await WaitAsync(unit);
        Assert.Null((await GrainOf(unit).ApproveAsync(Unit.Anna, Sha256Hash.Parse(unit.Identity.CertificateSha256))).Error);
        await unit.EnrolAsync();

        var device = await unit.GetAsync();

        Assert.Equal(DeviceState.InService, device.State);
        Assert.Equal((Unit.Model, true, true, "boot-1", unit.Identity.CertificateSha256), (
            device.Enrollment!.Model,
            device.Enrollment.Os.SecureBoot,
            device.Enrollment.Os.FactoryDefault,
            device.Enrollment.Os.BootId,
            device.Enrollment.Identity.CertificateSha256));
    }

    [Fact]
    public async Task OnDueAsync_OfARequestThatNobodyDecided_ExpiresIt()
    {
        var unit = new Unit(Silo);
        await WaitAsync(unit);
        Silo.Clock.Advance(EnrollmentRequestRules.TimeToLive);

        await Silo.Grains.GetGrain<IDueGrain>(GrainOf(unit).GetGrainId()).OnDueAsync(CancellationToken.None);

        Assert.Equal(EnrollmentRequestState.Expired, (await GrainOf(unit).GetAsync()).Request!.State);
        await WaitAsync(unit);
    }

    [Fact]
    public async Task HelloAsync_OfMoreDevicesThanAMinuteAllows_IsRefusedUntilTheNext()
    {
        // A tenant of its own: others' requests do not count.
        var tenant = TenantId.TryParse("flooded", out var parsed) ? parsed : throw new FormatException();
        var reasons = new List<string?>();
        for (var i = 0; i <= EnrollmentPlaces.NewPerMinuteMax; i++)
        {
            var unit = new Unit(Silo, tenant: tenant);
            await unit.ConnectAsync();
            reasons.Add((await unit.Grain.HelloAsync(unit.Hello("boot-1", 1))).Error?.Reason);
        }

        Assert.All(reasons[..^1], reason => Assert.Equal("ENROLLMENT_REQUEST_WAITS", reason));
        Assert.Equal("ENROLLMENT_RATE_REACHED", reasons[^1]);
        Silo.Clock.Advance(TimeSpan.FromMinutes(1));
        await WaitAsync(new Unit(Silo, tenant: tenant));
    }

    [Fact]
    public async Task HelloAsync_OfAnUnknownDeviceWithAnothersSerialOrKey_NamesTheReason()
    {
        var known = await new Unit(Silo).EnrolAsync();
        var cloned = new Unit(Silo, key: known.Identity.KeySha256);
        var liar = new Unit(Silo);
        await liar.ConnectAsync();

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await cloned.ConnectAsync()).Error?.Reason);
        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await cloned.Grain.HelloAsync(cloned.Hello("boot-1", 1))).Error?.Reason);
        Assert.Equal(
            "SERIAL_MISMATCH", (await liar.Grain.HelloAsync(liar.Hello("boot-1", 1) with { Serial = known.Id.Value })).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await GrainOf(liar).GetAsync()).Error?.Reason);
        Assert.Equal(SuspicionKind.KeyUnderTwoSerials, (await known.UntilSuspectedAsync()).Suspicion?.Kind);
    }

    [Fact]
    public async Task HelloAsync_OfAnUnknownDeviceWhoseKeyWasClaimedMeanwhile_RaisesTheSuspicion()
    {
        var owner = new Unit(Silo);
        var cloned = new Unit(Silo, key: owner.Identity.KeySha256);
        Assert.Null((await cloned.ConnectAsync()).Error);
        await owner.EnrolAsync();

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await cloned.Grain.HelloAsync(cloned.Hello("boot-1", 1))).Error?.Reason);

        Assert.Contains(cloned.Id.Value, (await owner.UntilSuspectedAsync()).Suspicion?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AdmitAsync_OfADeniedDeviceWithTheKeyOfAnother_RaisesTheSuspicion()
    {
        var (owner, thief) = (await new Unit(Silo).EnrolAsync(), new Unit(Silo));
        await WaitAsync(thief);
        await GrainOf(thief).DenyAsync(Unit.Anna, "not ours");

        var admitted = await thief.Grain.AdmitAsync(new AdmitSession(owner.KeyUnder(thief), Receives: false, null, "gateway-1"));

        Assert.NotEqual("KEY_CLAIMED_BY_ANOTHER", admitted.Error?.Reason);
        Assert.Contains(thief.Id.Value, (await owner.UntilSuspectedAsync()).Suspicion?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DenyEnrollmentAsync_OfADeviceThatWaitsForItsApproval_ReturnsItToExpected()
    {
        var unit = new Unit(Silo);
        await unit.ExpectAsync(EnrollmentApproval.Manual);
        await unit.ConnectAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 1));

        var reply = await unit.Grain.DenyEnrollmentAsync(new DenyEnrollment(Unit.Anna, "wrong site"));

        Assert.Equal((DeviceState.Expected, null), (reply.Device!.State, reply.Device.Identity));
        Assert.Equal("DEVICE_NOT_ENROLLED", (await IssueAsync(unit)).Error?.Reason);
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 2));
        Assert.Equal(DeviceState.Enrolling, (await unit.GetAsync()).State);
    }

    /// <summary>Everything is wrong with the hello; each line mends one thing more, in the order of the checks.</summary>
    [Theory]
    [InlineData(0, "SERIAL_MISMATCH")]
    [InlineData(1, "CERTIFICATE_NOT_EXPECTED")]
    [InlineData(2, "MODEL_MISMATCH")]
    [InlineData(3, "NOT_FACTORY_DEFAULT")]
    [InlineData(4, "SECURE_BOOT_MISSING")]
    [InlineData(5, "OS_BELOW_FLOOR")]
    [InlineData(6, null)]
    public async Task HelloAsync_OfAnExpectedDevice_NamesTheFirstCheckThatFails(int mended, string? reason)
    {
        var unit = new Unit(Silo);
        await unit.Grain.ExpectAsync(new ExpectDevice(
            Unit.Anna, "r1", new ExpectedDevice(Unit.Model, "active", "lab", "11.0", EnrollmentApproval.Automatic))
        {
            CertificateSha256 = mended > 1 ? null : new string('e', 64),
        });
        await unit.ConnectAsync();
        var hello = unit.Hello("boot-1", 1) with
        {
            Serial = mended > 0 ? unit.Id.Value : "B8A44FFFFFFF",
            Model = mended > 2 ? Unit.Model : "other",
            Os = new ReportedOs(
                mended > 5 ? "12.0.1" : "10.0", Unit.OldDigest, "boot-1", SecureBoot: mended > 4, FactoryDefault: mended > 3),
        };

        Assert.Equal(reason, (await unit.Grain.HelloAsync(hello)).Error?.Reason);
        var device = await unit.GetAsync();
        Assert.Equal(reason is null ? DeviceState.InService : DeviceState.Expected, device.State);
        Assert.Equal(reason is null, device.Enrollment is not null);
    }

    private IEnrollmentGrain GrainOf(Unit unit) => Silo.Grains.GetEnrollment(unit.Tenant, unit.Id);

    private Task<CertificateReply> IssueAsync(Unit unit) => Silo.Grains.GetDeviceCertificates(unit.Tenant, unit.Id)
        .IssueAsync(new IssueCertificate(unit.Identity, CertificateCall.Enroll, [1]));

    private static async Task WaitAsync(Unit unit)
    {
        Assert.Null((await unit.ConnectAsync()).Error);
        Assert.Equal("ENROLLMENT_REQUEST_WAITS", (await unit.Grain.HelloAsync(unit.Hello("boot-1", 1))).Error?.Reason);
    }
}
