using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Serials;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Serials;

/// <summary>
/// One serial of the whole installation: the tenants that expect it, and the one whose device has proved possession. Key:
/// <c>profile/serial</c>. It calls nobody: devices call it.
/// </summary>
[GrainInterfaceType("muster.serial"), Alias("muster.ISerialGrain"), Version(1)]
public interface ISerialGrain : IGrainWithStringKey
{
    /// <summary>May a device of the tenant enrol with it? Null when it may. Answered from memory once the grain is active.</summary>
    [Alias("Check"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> CheckAsync(TenantId tenant);

    /// <summary>A tenant expects it, before its device's record says so. The same again gives the same answer.</summary>
    [Alias("Expect"), ResponseTimeout(CallTimeouts.Commit)]
    Task<SerialExpected> ExpectAsync(ExpectSerial command);

    /// <summary>
    /// A device of the tenant proves possession, before its enrolment is committed; why not, when it may not. The same again gives the
    /// same answer: what a crash left behind belongs to the device that says hello again.
    /// </summary>
    [Alias("Claim"), ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> ClaimAsync(TenantId tenant);

    /// <summary>A tenant expects it no longer, after its device's record says so. The same again changes nothing.</summary>
    [Alias("Withdraw"), ResponseTimeout(CallTimeouts.Commit)]
    Task WithdrawAsync(TenantId tenant, Actor actor);

    [Alias("Get"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<SerialReply> GetAsync();

    /// <summary>An administrator of the installation says whose it is.</summary>
    [Alias("Assign"), ResponseTimeout(CallTimeouts.Commit)]
    Task<SerialReply> AssignAsync(AssignSerial command);
}

/// <summary>Claims a serial for a tenant that expects it.</summary>
/// <param name="Tenant">Who expects it.</param>
/// <param name="Actor">By whose order.</param>
/// <param name="Unclaimed">How the tenant <c>default</c> stands to it; see <see cref="SerialRules.Expect"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.expect-serial")]
public sealed record ExpectSerial(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] SerialStanding Unclaimed);

/// <summary>Whether a tenant may expect a serial.</summary>
/// <param name="Error">Why it may not; null when it does now.</param>
/// <param name="Waits">Why no device of it may enrol yet although it is expected; null when one may.</param>
[GenerateSerializer, Immutable, Alias("muster.serial-expected")]
public sealed record SerialExpected([property: Id(0)] FleetError? Error, [property: Id(1)] FleetError? Waits);

/// <summary>Says whose a serial is.</summary>
/// <param name="Actor">The administrator.</param>
/// <param name="Tenant">One of those that expect it.</param>
/// <param name="Cause">In words, 1 to 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.assign-serial")]
public sealed record AssignSerial(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] TenantId Tenant,
    [property: Id(2)] string Cause);

/// <summary>The committed claims, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-reply")]
public sealed record SerialReply([property: Id(0)] SerialClaims? Claims, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a serial becomes a grain key.</summary>
public static class SerialGrainFactoryExtensions
{
    public static ISerialGrain GetSerial(this IGrainFactory grains, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ISerialGrain>(SerialId.Of(device).ToString());
    }
}
