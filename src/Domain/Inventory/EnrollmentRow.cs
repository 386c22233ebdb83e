using Muster.Domain.Enrollments;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a request for enrolment; the evidence as a whole is only in the record.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-row")]
public sealed record EnrollmentRow : InventoryRow
{
    [Id(0)] public required EnrollmentRequestState State { get; init; }

    [Id(1)] public required DateTimeOffset StateChangedAt { get; init; }

    [Id(2)] public required string Model { get; init; }

    [Id(3)] public required string OsVersion { get; init; }

    [Id(4)] public required string CertificateSha256 { get; init; }

    [Id(5)] public required DateTimeOffset FirstSeenAt { get; init; }

    [Id(6)] public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>When it expires, while it waits.</summary>
    [Id(7)] public required DateTimeOffset? ExpiresAt { get; init; }

    [Id(8)] public required string Decider { get; init; }

    [Id(9)] public required string Reason { get; init; }

    [Id(10)] public required int Denials { get; init; }

    /// <summary>Until when it is not heard, while it is denied.</summary>
    [Id(11)] public required DateTimeOffset? HeardAgainAt { get; init; }

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "state" => FieldValue.Of((long)State),
        "model" => FieldValue.Of(Model),
        "os_version" => FieldValue.Of(OsVersion),
        "certificate_sha256" => FieldValue.Of(CertificateSha256),
        "first_seen_at" => FieldValue.Of(FirstSeenAt),
        "last_seen_at" => FieldValue.Of(LastSeenAt),
        "denials" => FieldValue.Of(Denials),
        _ => FieldValue.None,
    };

    /// <summary>The row of a request as it is.</summary>
    public static EnrollmentRow Of(EnrollmentRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new EnrollmentRow
        {
            Tenant = request.Tenant,
            Name = request.Device.Value,
            State = request.State,
            StateChangedAt = request.StateChangedAt,
            Model = request.Evidence.Model,
            OsVersion = request.Evidence.Os.Version,
            CertificateSha256 = request.Evidence.Identity.CertificateSha256,
            FirstSeenAt = request.FirstSeenAt,
            LastSeenAt = request.LastSeenAt,
            ExpiresAt = request.State == EnrollmentRequestState.Waiting ? request.ExpiresAt : null,
            Decider = request.Decider,
            Reason = request.Reason,
            Denials = request.Denials,
            HeardAgainAt = request.State == EnrollmentRequestState.Denied ? request.HeardAgainAt : null,
        };
    }
}
