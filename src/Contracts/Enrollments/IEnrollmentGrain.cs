using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Enrollments;

/// <summary>The request of a device that nobody expects. Key: <c>tenant/device</c>. It calls no device: devices call it.</summary>
[GrainInterfaceType("muster.enrollment"), Alias("muster.IEnrollmentGrain"), Version(1)]
public interface IEnrollmentGrain : IGrainWithStringKey
{
    /// <summary>May the device say hello? Null when it may, else what it is told. Answered from memory once the grain is active.</summary>
    [Alias("Check"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> CheckAsync();

    /// <summary>The device said hello; the answer is what it is told, after the commit when it was news.</summary>
    [Alias("Apply"), ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError> ApplyAsync(EnrollmentEvidence evidence);

    [Alias("Get"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<EnrollmentReply> GetAsync();

    /// <summary>
    /// An operator lets the device come with the certificate that he has seen; whoever calls makes it expected then. The same again gives
    /// the same answer.
    /// </summary>
    [Alias("Approve"), ResponseTimeout(CallTimeouts.Commit)]
    Task<EnrollmentReply> ApproveAsync(Actor actor, Sha256Hash certificateSha256);

    /// <summary>An operator sends the device away.</summary>
    [Alias("Deny"), ResponseTimeout(CallTimeouts.Commit)]
    Task<EnrollmentReply> DenyAsync(Actor actor, string reason);
}

/// <summary>The places of the tenant's devices that wait. Key: the tenant.</summary>
[GrainInterfaceType("muster.enrollment-queue"), Alias("muster.IEnrollmentQueueGrain"), Version(1)]
public interface IEnrollmentQueueGrain : IGrainWithStringKey
{
    /// <summary>Takes a place before the request commits; why not, when all are taken or too many came within a minute.</summary>
    [Alias("Take"), ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> TakeAsync(DeviceId device, DateTimeOffset until);

    /// <summary>Gives the place back. One that is never given back ends at its time.</summary>
    [Alias("Release"), ResponseTimeout(CallTimeouts.Commit)]
    Task ReleaseAsync(DeviceId device);
}

/// <summary>The committed request, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-reply")]
public sealed record EnrollmentReply([property: Id(0)] EnrollmentRequest? Request, [property: Id(1)] FleetError? Error);

/// <summary>The only place where ids become keys of requests.</summary>
public static class EnrollmentGrainFactoryExtensions
{
    public static IEnrollmentGrain GetEnrollment(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IEnrollmentGrain>(DeviceKey.Of(tenant, device));
    }

    public static IEnrollmentQueueGrain GetEnrollmentQueue(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IEnrollmentQueueGrain>(tenant.Value);
    }
}
