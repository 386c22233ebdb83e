using System.Collections.Frozen;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Tenants;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Identity;

/// <summary>
/// Which makers this gateway believes, for each tenant. A handshake reads what is here and asks nobody; what is here comes from the
/// tenants' grains every two seconds (<see cref="DeviceTrustRefresh"/>) and is swapped as a whole. A tenant whose anchors were never
/// read, or not for <see cref="Lease"/>, believes no maker: an anchor that was removed must not live on in a gateway that nobody reaches.
/// </summary>
public sealed class DeviceTrust
{
    /// <summary>
    /// Longer than the failover of a store or a silo takes, so that it does not turn into refusals of its own; then closed is better.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    private readonly FrozenDictionary<TenantId, TenantTrust> _tenants;
    private readonly DeviceIdentityVerifier? _fixed;
    private readonly TimeProvider _clock;

    /// <param name="tenants">The installation's tenants.</param>
    /// <param name="folder">What the trust folder holds: it speaks for the tenant <c>default</c>.</param>
    /// <param name="clock">Tells how old an answer is.</param>
    public DeviceTrust(TenantDirectory tenants, TrustStore folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(tenants);
        _clock = clock;
        _tenants = tenants.Tenants.ToFrozenDictionary(
            tenant => tenant, tenant => new TenantTrust(tenant == TenantId.Default ? folder : new TrustStore([])));
    }

    private DeviceTrust(DeviceIdentityVerifier verifier)
    {
        _clock = TimeProvider.System;
        _tenants = FrozenDictionary<TenantId, TenantTrust>.Empty;
        _fixed = verifier;
    }

    /// <summary>Believes one verifier, for every tenant and for ever.</summary>
    public static DeviceTrust Fixed(DeviceIdentityVerifier verifier) => new(verifier);

    /// <summary>Reads a maker's certificate.</summary>
    internal DeviceIdentityResult Verify(TenantId tenant, X509Certificate2 certificate, X509Certificate2Collection? presented)
    {
        var now = _clock.GetUtcNow();
        if (_fixed is not null)
        {
            return _fixed.Verify(certificate, presented, now);
        }

        return _tenants.TryGetValue(tenant, out var trust) && trust.Verifier is { } verifier && !IsOld(trust)
            ? verifier.Verify(certificate, presented, now)
            : new DeviceIdentityResult(null, DeviceMessageErrors.Unavailable());
    }

    /// <summary>True while the anchors that an identity rests on are still believed; of old answers the newest counts.</summary>
    internal bool Confirms(TenantId tenant, DeviceIdentityResult identity) =>
        _fixed is not null || identity.Anchors.IsEmpty
        || (_tenants.TryGetValue(tenant, out var trust) && trust.Verifier?.Anchors.Hold(identity.Anchors) == true);

    /// <summary>Changes with every change of the tenant's anchors: who remembers it need not ask again before.</summary>
    internal object? VersionOf(TenantId tenant) => _fixed ?? _tenants.GetValueOrDefault(tenant)?.Verifier;

    /// <summary>The set that this gateway has of a tenant; an empty one before the first answer.</summary>
    internal AnchorSet Known(TenantId tenant) => _tenants[tenant].Set;

    /// <summary>Takes an answer of the tenant's grain: the set, or null when the known one still holds. True when it changed.</summary>
    internal bool Accept(TenantId tenant, AnchorSet? changed)
    {
        var trust = _tenants[tenant];
        var isNew = changed is not null || trust.Verifier is null;
        if (isNew)
        {
            trust.Set = changed ?? trust.Set;
            trust.Verifier = new DeviceIdentityVerifier(new DeviceAnchors(trust.Folder.Certificates, trust.Set));
        }

        Volatile.Write(ref trust.ConfirmedAt, _clock.GetTimestamp());
        return isNew;
    }

    /// <summary>Why this gateway cannot admit every tenant's devices now; null when it can.</summary>
    public string? FindProblem()
    {
        var missing = _tenants.Where(pair => pair.Value.Verifier is null || IsOld(pair.Value))
            .Select(pair => pair.Key.Value)
            .Order(StringComparer.Ordinal)
            .ToArray();
        return missing.Length == 0 ? null
            : $"The trust anchors of {missing.Length} of {_tenants.Count} tenants were not read for {Lease.TotalSeconds} s ({missing[0]}).";
    }

    private bool IsOld(TenantTrust trust) => _clock.GetElapsedTime(Volatile.Read(ref trust.ConfirmedAt)) > Lease;

    private sealed class TenantTrust(TrustStore folder)
    {
        private DeviceIdentityVerifier? _verifier;

        public long ConfirmedAt;

        public TrustStore Folder { get; } = folder;

        /// <summary>Written by the refresh alone.</summary>
        public AnchorSet Set { get; set; } = AnchorSet.Empty;

        /// <summary>Null before the first answer.</summary>
        public DeviceIdentityVerifier? Verifier
        {
            get => Volatile.Read(ref _verifier);
            set => Volatile.Write(ref _verifier, value);
        }
    }
}
