using System.Globalization;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Devices;
using Muster.Contracts.Enrollments;
using Muster.Contracts.Warranty;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Gateway.Devices;
using Muster.Gateway.Grpc;
using Muster.Gateway.Warranty;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Enrollments;

/// <summary>The requests of devices that nobody expects.</summary>
internal sealed class EnrollmentsService(IGrainFactory grains, RowLister lister) : V1.Enrollments.EnrollmentsBase
{
    public override async Task<V1.Enrollment> GetEnrollment(V1.GetEnrollmentRequest request, ServerCallContext context) =>
        EnrollmentsMapping.ToApi(Accept(await GrainOf(request.Name).GetAsync()));

    public override async Task<V1.ListEnrollmentsResponse> ListEnrollments(
        V1.ListEnrollmentsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Enrollment, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListEnrollmentsResponse { NextPageToken = page.NextPageToken };
        response.Enrollments.AddRange(page.Rows.Select(row => EnrollmentsMapping.ToApi((EnrollmentRow)row.Row)));
        return response;
    }

    /// <summary>
    /// The decision first, the device then: cut off between the two, the same call again completes it, because the device's request id is
    /// the instant of the decision.
    /// </summary>
    public override async Task<V1.Enrollment> ApproveEnrollment(V1.ApproveEnrollmentRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        var (tenant, device) = ResourceNames.EnrollmentOf(request.Name);
        var approved = Accept(await grains.GetEnrollment(tenant, device).ApproveAsync(
            caller.Actor, Sha256Hash.Parse(request.CertificateSha256)));
        var requestId = string.Create(CultureInfo.InvariantCulture, $"enrollment.{approved.StateChangedAt.UtcTicks}");
        var warranty = new ExpectWarranty(caller.Actor, requestId, WarrantiesMapping.ToTerm(request.Warranty ?? new V1.Warranty()));
        var spec = new ExpectedDevice(
            request.Model.Length > 0 ? request.Model : approved.Evidence.Model,
            request.Track.Length > 0 ? request.Track : EnrollmentsValidators.TrackDefault,
            request.Site,
            request.OsFloor,
            // The operator has seen the request: that is the approval.
            EnrollmentApproval.Automatic);
        var command = new ExpectDevice(caller.Actor, requestId, spec)
        {
            // What was approved is this certificate, and no other of the same serial.
            CertificateSha256 = approved.Evidence.Identity.CertificateSha256,
        };
        var created = await DeviceCreation.CreateAsync(grains, tenant, device, warranty, command);
        return created.Error is { } error ? throw FleetErrors.ToRpcException(error) : EnrollmentsMapping.ToApi(approved);
    }

    public override async Task<V1.Enrollment> DenyEnrollment(V1.DenyEnrollmentRequest request, ServerCallContext context) =>
        EnrollmentsMapping.ToApi(Accept(await GrainOf(request.Name).DenyAsync(Caller.Of(context).Actor, request.Reason)));

    private static EnrollmentRequest Accept(EnrollmentReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Request: { } request } => request,
        _ => throw new InvalidOperationException("Neither a request nor an error."),
    };

    private IEnrollmentGrain GrainOf(string name)
    {
        var (tenant, device) = ResourceNames.EnrollmentOf(name);
        return grains.GetEnrollment(tenant, device);
    }
}

/// <summary>Requests of the API and of the domain.</summary>
internal static class EnrollmentsMapping
{
    public static V1.Enrollment ToApi(EnrollmentRequest request)
    {
        var api = ToApi(EnrollmentRow.Of(request));
        api.Evidence = ToApi(request.Evidence);
        return api;
    }

    /// <summary>What a list knows of a request.</summary>
    public static V1.Enrollment ToApi(EnrollmentRow row) => new()
    {
        Name = ResourceNames.Of(row.Tenant, "enrollments", row.Name),
        State = (V1.EnrollmentState)row.State,
        StateChangedAt = ApiValues.ToTimestamp(row.StateChangedAt),
        FirstSeenAt = ApiValues.ToTimestamp(row.FirstSeenAt),
        LastSeenAt = ApiValues.ToTimestamp(row.LastSeenAt),
        ExpiresAt = ApiValues.ToTimestamp(row.ExpiresAt),
        HeardAgainAt = ApiValues.ToTimestamp(row.HeardAgainAt),
        Decider = row.Decider,
        Reason = row.Reason,
        Denials = row.Denials,
        Model = row.Model,
        OsVersion = row.OsVersion,
        CertificateSha256 = row.CertificateSha256,
    };

    public static V1.EnrollmentEvidence ToApi(EnrollmentEvidence evidence) => new()
    {
        Profile = evidence.Identity.Profile,
        CertificateSha256 = evidence.Identity.CertificateSha256,
        KeySha256 = evidence.Identity.KeySha256,
        HardwareSerial = evidence.Identity.HardwareSerial,
        HardwareType = evidence.Identity.HardwareType,
        Model = evidence.Model,
        OsVersion = evidence.Os.Version,
        ImageDigest = evidence.Os.ImageDigest,
        BootId = evidence.Os.BootId,
        SecureBoot = evidence.Os.SecureBoot,
        FactoryDefault = evidence.Os.FactoryDefault,
        At = ApiValues.ToTimestamp(evidence.At),
    };
}

/// <summary>What requests of the enrollments service have to look like.</summary>
internal static class EnrollmentsValidators
{
    public const string TrackDefault = "active";

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetEnrollmentRequest>((request, problems) => problems.EnrollmentName(request.Name))
        .Add<V1.ListEnrollmentsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.ApproveEnrollmentRequest>(CheckApprove)
        .Add<V1.DenyEnrollmentRequest>((request, problems) =>
        {
            problems.EnrollmentName(request.Name);
            problems.Length("reason", request.Reason, 1, Problems.CauseLengthMax);
        });

    private static void CheckApprove(V1.ApproveEnrollmentRequest request, Problems problems)
    {
        problems.EnrollmentName(request.Name);
        problems.Require(
            FieldChecks.IsLowerHex(request.CertificateSha256, 64),
            "certificate_sha256",
            "the SHA-256 of the certificate that was seen, 64 lower-case hex digits");
        problems.Length("model", request.Model, 0, DeviceLifecycle.ModelLengthMax);
        problems.Length("site", request.Site, 0, DeviceLifecycle.SiteLengthMax);
        problems.Require(
            request.Track.Length == 0 || ImageTrack.TryParse(request.Track, out _),
            "track",
            "'active' or a long-term-support line such as '12.11'; empty for active");
        problems.Require(
            request.OsFloor.Length == 0 || OsVersion.TryParse(request.OsFloor, out _), "os_floor", "an OS version, or empty");
        if (request.Warranty is { } warranty)
        {
            WarrantiesValidators.CheckTerm("warranty", warranty, problems);
        }
    }
}
