using Orleans.CodeGeneration;

namespace Muster.Contracts.Installation;

/// <summary>What a host asks about the cluster it is part of. Answered by the silo that is asked; nothing is stored. Key: 0.</summary>
[GrainInterfaceType("muster.installation"), Alias("muster.IInstallationGrain"), Version(1)]
public interface IInstallationGrain : IGrainWithIntegerKey
{
    /// <summary>What all hosts have to agree on.</summary>
    [Alias("Describe")]
    Task<InstallationDescription> DescribeAsync();

    /// <summary>Passes when a silo answers and reads from its store; throws what the store threw.</summary>
    [Alias("CheckStore")]
    Task CheckStoreAsync();
}

/// <summary>What all hosts have to agree on.</summary>
/// <param name="Partitions">A power of two from 16 to 4096, chosen at first start.</param>
[GenerateSerializer, Immutable, Alias("muster.installation-description")]
public sealed record InstallationDescription([property: Id(0)] int Partitions);

/// <summary>The only place where the installation's grain key is written.</summary>
public static class InstallationGrainFactoryExtensions
{
    public static IInstallationGrain GetInstallation(this IGrainFactory grains)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IInstallationGrain>(0);
    }
}
