using Muster.Domain.Identity;

namespace Muster.Domain.Devices;

/// <summary>What an enrolment, or a request for one, rests on: the certificate of the handshake and the claims of the hello.</summary>
/// <param name="Identity">Who the maker's certificate proved it to be; its profile is that of the anchor it chains to.</param>
/// <param name="Model">The product that the hello claimed.</param>
/// <param name="Os">The OS, boot, secure boot and factory-default state that the hello claimed.</param>
/// <param name="At">When the hello was judged.</param>
[GenerateSerializer, Immutable, Alias("muster.enrollment-evidence")]
public sealed record EnrollmentEvidence(
    [property: Id(0)] DeviceIdentity Identity,
    [property: Id(1)] string Model,
    [property: Id(2)] ReportedOs Os,
    [property: Id(3)] DateTimeOffset At);
