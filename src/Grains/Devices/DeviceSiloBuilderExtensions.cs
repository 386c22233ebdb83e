using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Domain.Decommissioning;
using Muster.Domain.Identity;
using Muster.Domain.Tenants;
using Muster.Grains.Enrollments;
using Muster.Grains.Images;
using Muster.Grains.Inventory;
using Muster.Grains.Inventory.Columns;
using Muster.Grains.Policies;
using Muster.Grains.Revocations;
using Muster.Grains.Rollouts;
using Muster.Grains.Trust;
using Orleans.Storage;

namespace Muster.Grains.Devices;

/// <summary>What every device's grain works with, one of each per silo.</summary>
/// <param name="Issuer">The fleet CA; null in a silo that was given none.</param>
/// <param name="Signer">Its keys; there when <paramref name="Issuer"/> is.</param>
internal sealed record DeviceServices(
    [FromKeyedServices(StorageNames.Muster)] IGrainStorage Storage,
    PolicyCache Policies,
    TrustCache Trust,
    IErasureProofVerifier Verifier,
    DeviceInstruments Instruments,
    PartitionMap Partitions,
    DevicePool Pool,
    RenewalPace Renewals,
    RefusalNotes Refusals,
    TenantDirectory Tenants,
    TimeProvider Clock,
    IOptions<EnrollmentOptions> EnrollmentOptions,
    ICertificateIssuer? Issuer = null,
    IFleetSigner? Signer = null)
{
    /// <summary>How devices are treated that nobody expects.</summary>
    public EnrollmentOptions Enrollment => EnrollmentOptions.Value;
}

/// <summary>
/// Adds devices, their keys and their policies to a silo. The proof verifier and the partition map come from the host, as do the tenants
/// where there are several, and the fleet CA where there is one.
/// </summary>
public static class DeviceSiloBuilderExtensions
{
    public static ISiloBuilder AddDevices(this ISiloBuilder silo)
    {
        ArgumentNullException.ThrowIfNull(silo);
        silo.Services.AddMetrics();
        silo.Services.AddGrainInterfaceNames();
        silo.Services.AddOptions<EnrollmentOptions>().BindConfiguration(EnrollmentOptions.SectionName);
        silo.Services.AddOptionsWithValidateOnStart<ImageOptions, ImageOptionsValidator>().BindConfiguration(ImageOptions.SectionName);
        silo.Services.AddOptionsWithValidateOnStart<RolloutOptions, RolloutOptionsValidator>()
            .BindConfiguration(RolloutOptions.SectionName);
        silo.Services.TryAddSingleton(TenantDirectory.OfOne);
        silo.Services.TryAddSingleton<PolicyCache>();
        silo.Services.TryAddSingleton<TrustCache>();
        silo.Services.TryAddSingleton<DeviceInstruments>();
        silo.Services.TryAddSingleton<DeviceServices>();
        silo.Services.TryAddSingleton<ValuePool>();
        silo.Services.TryAddSingleton<DevicePool>();
        silo.Services.TryAddSingleton<RenewalPace>();
        silo.Services.TryAddSingleton<RefusalNotes>();
        silo.Services.TryAddSingleton<FeedInstruments>();
        silo.Services.TryAddSingleton<ParsedQueries>();
        silo.Services.TryAddSingleton<RevocationTails>();
        silo.Services.TryAddSingleton<TailPoll>();
        return silo;
    }
}
