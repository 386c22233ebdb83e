using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Trust;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Trust;

/// <summary>
/// A tenant's rules of continuous trust, and how many devices suspicions may still quarantine by them. Key: the tenant.
/// </summary>
[GrainInterfaceType("muster.trust"), Alias("muster.ITrustGrain"), Version(1)]
public interface ITrustGrain : IGrainWithStringKey
{
    /// <summary>The committed rules. Interleaves: only what is committed is answered.</summary>
    [Alias("GetRules"), AlwaysInterleave]
    Task<TrustRules> GetRulesAsync();

    /// <summary>Replaces the rules. The same rules again change nothing.</summary>
    [Alias("SetRules"), ResponseTimeout(CallTimeouts.Commit)]
    Task<TrustRulesReply> SetRulesAsync(SetTrustRules command);

    /// <summary>
    /// Whether a suspicion may quarantine this device by rule now: at most <see cref="QuarantineBudget.DevicesMax"/> devices within any
    /// <see cref="QuarantineBudget.Window"/>. Answers yes after its commit; asked again for the same device, the same.
    /// </summary>
    [Alias("TakeQuarantine"), ResponseTimeout(CallTimeouts.Commit)]
    Task<bool> TakeQuarantineAsync(DeviceId device);
}

/// <summary>Replaces the rules; their revision is not looked at.</summary>
[GenerateSerializer, Immutable, Alias("muster.set-trust-rules")]
public sealed record SetTrustRules([property: Id(0)] Actor Actor, [property: Id(1)] TrustRules Rules);

/// <summary>The committed rules, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.trust-rules-reply")]
public sealed record TrustRulesReply([property: Id(0)] TrustRules? Rules, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a tenant becomes the key of its trust.</summary>
public static class TrustGrainFactoryExtensions
{
    public static ITrustGrain GetTrust(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ITrustGrain>(tenant.Value);
    }
}
