using Muster.Domain;
using Muster.Domain.Devices;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Devices;

/// <summary>
/// One public key and the one identity it belongs to: claimed before the enrolment commits, never released. Key: SHA-256 of
/// the SubjectPublicKeyInfo, 64 lower-case hex digits.
/// </summary>
[GrainInterfaceType("muster.key"), Alias("muster.IKeyGrain"), Version(1)]
public interface IKeyGrain : IGrainWithStringKey
{
    /// <summary>Claims the key for an identity. The same claim again succeeds; another identity is refused.</summary>
    [Alias("Claim"), ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> ClaimAsync(KeyOwner owner);

    /// <summary>Refuses when the key belongs to another identity; null when it is free or belongs to this one.</summary>
    [Alias("Check"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> CheckAsync(KeyOwner owner);

    /// <summary>The identity that claimed it; null before the first claim.</summary>
    [Alias("GetOwner"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<KeyOwner?> GetOwnerAsync();
}

/// <summary>The identity that a key belongs to.</summary>
[GenerateSerializer, Immutable, Alias("muster.key-owner")]
public sealed record KeyOwner([property: Id(0)] string Profile, [property: Id(1)] TenantId Tenant, [property: Id(2)] DeviceId Device);
