using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Installation;
using Orleans.Concurrency;

namespace Muster.Grains.Installation;

/// <summary>Answers in whichever silo is asked, so that the answer speaks for that silo's own way to the store.</summary>
[GrainType(GrainTypes.Installation), StatelessWorker]
internal sealed class InstallationGrain(PartitionMap partitions, IFeedReader feed) : Grain, IInstallationGrain
{
    public Task<InstallationDescription> DescribeAsync() => Task.FromResult(new InstallationDescription(partitions.Count));

    public Task CheckStoreAsync() => feed.GetHeadAsync(0, CancellationToken.None);
}
