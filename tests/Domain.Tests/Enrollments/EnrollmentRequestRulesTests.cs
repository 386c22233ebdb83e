using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Enrollments;

public sealed class EnrollmentRequestRulesTests
{
    private static readonly DateTimeOffset Now = Units.Start;

    private static readonly Actor Anna = Actor.Operator("anna");

    private static readonly Sha256Hash Seen = Sha256Hash.Parse(Units.Identity.CertificateSha256);

    [Fact]
    public void Apply_OfADeviceThatWaits_CommitsOnceAnHour()
    {
        var first = Apply(null, Now);
        var atOnce = EnrollmentRequestRules.Apply(first, TenantId.Default, Evidence(Now), Now.AddMinutes(59));
        var later = EnrollmentRequestRules.Apply(first, TenantId.Default, Evidence(Now), Now.AddHours(1));

        Assert.Empty(atOnce.Events);
        Assert.IsType<EnrollmentRequestRefreshed>(Assert.Single(later.Events));
        Assert.Equal((Now, Now.AddHours(1)), (later.Next!.FirstSeenAt, later.Next.LastSeenAt));
        Assert.Equal("ENROLLMENT_REQUEST_WAITS", EnrollmentRequestRules.Check(first, Now.AddMinutes(59))?.Reason);
        Assert.False(EnrollmentRequestRules.NeedsPlace(first, Now.AddHours(1)));
    }

    [Fact]
    public void Deny_EachTime_SilencesForTwiceAsLongUpToAWeek()
    {
        var now = Now;
        EnrollmentRequest? request = null;
        var hours = new List<double>();
        for (var i = 0; i < 10; i++)
        {
            request = EnrollmentRequestRules.Deny(Apply(request, now), Anna, "not ours", now).Next;
            var until = request.HeardAgainAt!.Value;
            Assert.Equal("ENROLLMENT_DENIED", EnrollmentRequestRules.Check(request, until.AddSeconds(-1))?.Reason);
            Assert.Null(EnrollmentRequestRules.Check(request, until));
            hours.Add((until - now).TotalHours);
            now = until;
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 168, 168], hours);
        Assert.Equal(("anna", "not ours", 10), (request!.Decider, request.Reason, request.Denials));
    }

    [Fact]
    public void Look_AtARequestThatNobodyDecided_ExpiresIt()
    {
        var request = Apply(null, Now);
        var due = EnrollmentRequestRules.NextDueAt(request)!.Value;

        Assert.Empty(EnrollmentRequestRules.Look(request, due.AddSeconds(-1)).Events);
        var expired = EnrollmentRequestRules.Look(request, due).Next;

        Assert.Equal(EnrollmentRequestState.Expired, expired.State);
        Assert.Null(EnrollmentRequestRules.NextDueAt(expired));
        Assert.Equal("ENROLLMENT_REQUEST_STATE_INVALID", EnrollmentRequestRules.Approve(expired, Anna, Seen, due).Error?.Reason);
        Assert.True(EnrollmentRequestRules.NeedsPlace(expired, due));
        Assert.Equal(EnrollmentRequestState.Waiting, Apply(expired, due).State);
    }

    [Fact]
    public void Approve_OfADeniedOne_IsPossibleAndNotUndoneByADenial()
    {
        var denied = EnrollmentRequestRules.Deny(Apply(null, Now), Anna, "not ours", Now).Next;
        var approved = EnrollmentRequestRules.Approve(denied, Actor.Operator("bert"), Seen, Now).Next;

        Assert.Equal((EnrollmentRequestState.Approved, "bert", ""), (approved.State, approved.Decider, approved.Reason));
        Assert.Empty(EnrollmentRequestRules.Approve(approved, Anna, Seen, Now).Events);
        Assert.Equal("ENROLLMENT_REQUEST_STATE_INVALID", EnrollmentRequestRules.Deny(approved, Anna, "late", Now).Error?.Reason);
    }

    /// <summary>A newer hello may have brought another certificate since the approver looked.</summary>
    [Fact]
    public void Approve_OfACertificateThatWasNotSeen_IsRefused()
    {
        var other = Sha256Hash.Parse(new string('e', 64));

        var refused = EnrollmentRequestRules.Approve(Apply(null, Now), Anna, other, Now);

        Assert.Equal("ENROLLMENT_CERTIFICATE_CHANGED", refused.Error?.Reason);
        Assert.Contains(
            refused.Error!.Metadata,
            detail => detail.Key == "certificate_sha256" && detail.Value == Units.Identity.CertificateSha256);
        Assert.Empty(refused.Events);
    }

    /// <summary>Its device could not be created, and nobody repeated the approval: it is not told for ever that it waits.</summary>
    [Fact]
    public void Apply_OfAnApprovedOneThatIsUnknownStill_WaitsAnewAfterADay()
    {
        var approved = EnrollmentRequestRules.Approve(Apply(null, Now), Anna, Seen, Now).Next;
        var later = Now + EnrollmentRequestRules.ApprovalLifetime;

        Assert.Equal("ENROLLMENT_REQUEST_WAITS", EnrollmentRequestRules.Check(approved, later.AddSeconds(-1))?.Reason);
        Assert.True(EnrollmentRequestRules.NeedsPlace(approved, later));
        Assert.Equal(EnrollmentRequestState.Waiting, Apply(approved, later).State);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void Deny_WithoutAReason_IsRefused(string reason) =>
        Assert.Equal("REQUEST_INVALID", EnrollmentRequestRules.Deny(Apply(null, Now), Anna, reason, Now).Error?.Reason);

    [Fact]
    public void Take_OfMorePlacesThanThereAre_IsRefusedUntilOneEnds()
    {
        ImmutableArray<EnrollmentPlace> places =
            [.. Enumerable.Range(0, EnrollmentPlaces.WaitingMax).Select(i => new EnrollmentPlace(Device(i), Now.AddSeconds(i + 1)))];
        var wanted = new EnrollmentPlace(Device(5000), Now.AddDays(1));

        Assert.Equal("ENROLLMENT_QUEUE_FULL", EnrollmentPlaces.Take(places, wanted, 0, Now).Error?.Reason);
        Assert.Null(EnrollmentPlaces.Take(places, new EnrollmentPlace(Device(3), Now.AddDays(1)), 0, Now).Error);
        var (taken, error) = EnrollmentPlaces.Take(places, wanted, 0, Now.AddSeconds(1));

        Assert.Null(error);
        Assert.Equal((EnrollmentPlaces.WaitingMax, wanted), (taken.Length, taken[^1]));
    }

    [Fact]
    public void Take_OfMoreThanAMinuteAllows_IsRefused() => Assert.Equal(
        "ENROLLMENT_RATE_REACHED",
        EnrollmentPlaces.Take([], new EnrollmentPlace(Units.Id, Now.AddDays(1)), EnrollmentPlaces.NewPerMinuteMax, Now).Error?.Reason);

    [Fact]
    public void Deny_OfAnEnrollingDevice_ReturnsItToWhatWasExpected()
    {
        var waits = Units.InState(DeviceState.Enrolling) with { Enrollment = Evidence(Now) };

        var denied = DeviceLifecycle.Deny(waits, "wrong site", Now).Next;

        Assert.Equal((DeviceState.Expected, null, null), (denied.State, denied.Identity, denied.Enrollment));
        Assert.Empty(DeviceLifecycle.Deny(denied, "wrong site", Now).Events);
        Assert.Equal("DEVICE_STATE_INVALID", DeviceLifecycle.Deny(Units.InState(DeviceState.InService), "x", Now).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", DeviceLifecycle.Deny(waits, "", Now).Error?.Reason);
    }

    private static EnrollmentRequest Apply(EnrollmentRequest? current, DateTimeOffset now) =>
        EnrollmentRequestRules.Apply(current, TenantId.Default, Evidence(now), now).Next!;

    private static EnrollmentEvidence Evidence(DateTimeOffset at) => new(Units.Identity, Units.Model, Units.Os("boot-1"), at);

    private static DeviceId Device(int number) =>
        DeviceId.TryParse($"B8A44F{number:X6}", out var id) ? id : throw new FormatException();
}
