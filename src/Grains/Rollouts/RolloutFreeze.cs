using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>Freezes the members of a rollout in all partitions and cuts them into waves, or says what that would give.</summary>
/// <param name="grains">Where the shares are.</param>
/// <param name="partitions">All partitions.</param>
/// <param name="rollout">Whose members are looked for.</param>
/// <param name="retried">The rollout whose rest it retries; null for none.</param>
/// <param name="policy">Whether downgrades have to be counted.</param>
internal sealed class RolloutFreeze(
    IGrainFactory grains, PartitionMap partitions, Rollout rollout, Rollout? retried, ApprovalPolicy policy)
{
    /// <summary>Partitions that work at a time: enough to fill the silos, few enough to leave them room.</summary>
    public const int FanOutMax = 32;

    private readonly WaveSorting? _sorting = WaveSorting.Of(rollout.Spec.Waves);

    /// <summary>Where members can be: of a rollout that retries another, where that one had some.</summary>
    private readonly ImmutableArray<int> _asked =
        retried is null ? [.. Enumerable.Range(0, partitions.Count)] : [.. retried.Plan.Shares.Select(share => share.Partition)];

    /// <summary>The devices that match, by what they run; null when it is not known any more who did not succeed.</summary>
    public async Task<ImmutableArray<ImageCount>?> CountAsync()
    {
        var command = CommandOf(Guid.Empty);
        var counts = new List<ImageCount>();
        foreach (var chunk in _asked.Chunk(FanOutMax))
        {
            var counted = await Task.WhenAll(chunk.Select(partition => CountAsync(partition, command)));
            if (counted.Any(count => count is null))
            {
                return null;
            }

            counts = [.. ImageCount.Top(counted.SelectMany(count => count!).Concat(counts))];
        }

        return [.. counts];
    }

    /// <summary>How many devices match that run a newer version than the image's.</summary>
    public async Task<int> CountDowngradesAsync() => (await AllAsync(_asked, partition => MatchingDevices.CountDowngradesAsync(
        grains.GetInventory(partition), rollout.Tenant, rollout.Spec.Filter, rollout.Spec.TargetVersion))).Sum();

    /// <summary>Where the devices are that match, by the site rules.</summary>
    public async Task<SiteTally> CountSitesAsync(SiteRules rules)
    {
        var all = SiteTally.Of(rules, []);
        foreach (var chunk in Enumerable.Range(0, partitions.Count).Chunk(FanOutMax))
        {
            var counted = await Task.WhenAll(chunk.Select(partition => MatchingDevices.CountSitesAsync(
                rules, grains.GetInventory(partition), rollout.Tenant, rollout.Spec.Filter)));
            all = counted.Aggregate(all, (sum, part) => sum.Plus(part));
        }

        return all;
    }

    /// <param name="freeze">Names the attempt.</param>
    /// <param name="rules">What the members' sites are counted by.</param>
    public Task<(FrozenMembers Frozen, FleetError? Error)> RunAsync(Guid freeze, SiteRules rules)
    {
        var command = CommandOf(freeze) with { SiteRules = rules.Rules.IsEmpty ? null : rules };

        // As earlier versions ask for it: while silos are replaced, a rollout without filters and strata starts on any of them.
        return CutAsync(
            rules,
            partition => FreezeAsync(partition, command),
            (partition, missing) => _sorting is null
                ? Share(partition).GetBucketAsync(missing.Single().Bucket)
                : Share(partition).GetPlacesAsync(freeze, missing));
    }

    /// <summary>What a freeze would give now; the same cuts by the same steps, and nothing is stored.</summary>
    /// <param name="preview">Names the dry run.</param>
    /// <param name="rules">What the members' sites are counted by.</param>
    /// <param name="image">What the members are counted by that it is for; null for settings.</param>
    public async Task<(FrozenMembers Frozen, FleetError? Error)> PreviewAsync(Guid preview, SiteRules rules, ImageNeeds? image)
    {
        var command = CommandOf(preview) with { SiteRules = rules.Rules.IsEmpty ? null : rules, Image = image };
        try
        {
            return await CutAsync(
                rules,
                partition => Share(partition).PreviewAsync(command),
                (partition, missing) => Share(partition).GetPlacesAsync(preview, missing));
        }
        finally
        {
            await AllAsync(_asked, async partition => await ForgetAsync(partition, preview));
        }
    }

    /// <summary>Shares forget by themselves, only later: what the dry run says is so whether they hear this or not.</summary>
    private async Task<bool> ForgetAsync(int partition, Guid preview)
    {
        try
        {
            await Share(partition).ForgetAsync(preview);
            return true;
        }
        catch
        {
            return false;
        }
    }

    private async Task<(FrozenMembers Frozen, FleetError? Error)> CutAsync(
        SiteRules rules,
        Func<int, Task<MemberHistogram>> find,
        Func<int, ImmutableArray<PlaceQuery>, Task<ImmutableArray<MemberPoint>>> places)
    {
        var holders = ImmutableArray.CreateBuilder<int>();
        var all = MemberHistogram.Empty;
        var sites = SiteTally.Of(rules, []);
        var fits = new List<FitTally?>();
        int? downgrades = policy.CountsDowngradesOf(rollout.Spec) ? 0 : null;
        foreach (var chunk in _asked.Chunk(FanOutMax))
        {
            var histograms = await Task.WhenAll(chunk.Select(find));
            all = MemberHistogram.Sum([all, .. histograms]);
            if (all.IsTooFine || all.Classes.Length > MemberClass.ClassesMax)
            {
                return (new([], []), RolloutErrors.TooManyClasses(rollout.Id.Value, rollout.Spec.Waves));
            }

            foreach (var histogram in histograms.Where(histogram => histogram.Total > 0))
            {
                // One that does not say leaves all of it unknown.
                sites = histogram.Sites is { } counted && counted.Revision == rules.Revision ? sites?.Plus(counted) : null;
                downgrades += histogram.Downgrades;
                fits.Add(histogram.Fit);
            }

            holders.AddRange(chunk.Zip(histograms).Where(pair => pair.Second.Total > 0).Select(pair => pair.First));
            RequireSorted(all);
        }

        var cuts = all.Total == 0 ? [] : await CutAsync(all, holders.ToImmutable(), places);
        var shares = rollout.Spec.IncludeLateJoiners ? _asked : holders.ToImmutable();
        return cuts.Sum(cut => cut.Strata.Length) > StratumCut.StrataMax
            ? (new([], []), RolloutErrors.TooManyStrata(rollout.Id.Value, rollout.Spec.Waves))
            : (new(cuts, shares) { Sites = sites, Downgrades = downgrades, Fit = Sum(fits) }, null);
    }

    /// <summary>Null as soon as one is: that of the others alone would be taken for all.</summary>
    private static FitTally? Sum(List<FitTally?> fits) =>
        fits.Count == 0 || fits.Contains(null) ? null : fits.Aggregate((sum, part) => sum!.Plus(part!));

    private async Task<MemberHistogram> FreezeAsync(int partition, FreezeMembers command)
    {
        var found = await Share(partition).FreezeAsync(command);
        if (command.TakesJoiners && !found.TakesJoiners && !found.IsTooFine)
        {
            throw new InvalidOperationException(
                $"Devices may join rollout '{rollout.Id}', and a silo of an earlier version lets nobody join: update all silos.");
        }

        return command.Budgets.IsDefaultOrEmpty || found.KnowsGroups || found.Total == 0
            ? found
            : throw new InvalidOperationException(
                $"Rollout '{rollout.Id}' has budgets per value, and a silo of an earlier version knows none: update all silos.");
    }

    private async Task<IEnumerable<ImageCount>?> CountAsync(int partition, FreezeMembers command)
    {
        if (retried is null)
        {
            return await MatchingDevices.CountByImageAsync(grains.GetInventory(partition), rollout.Tenant, rollout.Spec.Filter);
        }

        var count = await Share(partition).CountRestAsync(command);
        return count.IsKnown ? count.Images : null;
    }

    private async Task<ImmutableArray<WaveCut>> CutAsync(
        MemberHistogram all,
        ImmutableArray<int> holders,
        Func<int, ImmutableArray<PlaceQuery>, Task<ImmutableArray<MemberPoint>>> places)
    {
        // At most one bucket per wave is asked for, or of each stratum of it its part of one: never a message as large as the fleet.
        var cutter = new WaveCutter(rollout.Spec.Waves, all);
        while (cutter.Run() is { IsEmpty: false } missing)
        {
            var points = await AllAsync(holders, partition => places(partition, missing));
            cutter.Add(missing, [.. points.SelectMany(members => members)]);
        }

        return cutter.Cuts;
    }

    private static async Task<List<T>> AllAsync<T>(ImmutableArray<int> asked, Func<int, Task<T>> ask)
    {
        var answers = new List<T>(asked.Length);
        foreach (var chunk in asked.Chunk(FanOutMax))
        {
            answers.AddRange(await Task.WhenAll(chunk.Select(ask)));
        }

        return answers;
    }

    /// <summary>While silos are replaced, one of an earlier version leaves out what it does not know, and every filter with it.</summary>
    private void RequireSorted(MemberHistogram all)
    {
        if (_sorting is not null && all.Total > 0 && all.Classes.Sum(kind => kind.Connected.Total + kind.Disconnected.Total) != all.Total)
        {
            throw new InvalidOperationException(
                $"Rollout '{rollout.Id}' has filters or strata of waves, and a silo of an earlier version knows none: update all silos.");
        }
    }

    private FreezeMembers CommandOf(Guid freeze) => new(freeze, rollout.Spec.Filter, rollout.Spec.Seed)
    {
        Sorting = _sorting,
        DowngradesTo = policy.CountsDowngradesOf(rollout.Spec) ? rollout.Spec.TargetVersion : "",
        TakesJoiners = rollout.Spec.IncludeLateJoiners,
        Retried = retried is null ? null : new RetriedMembers(retried.Id, retried.Freeze),
        Budgets = rollout.Spec.MaxUnavailablePer,
    };

    private IRolloutPartitionGrain Share(int partition) => grains.GetRolloutPartition(rollout.Tenant, rollout.Id, partition);
}
