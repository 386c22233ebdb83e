using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>A warranty that is over opens a review; people decide: one device is proposed for decommissioning, others are kept.</summary>
internal sealed class WarrantySteps(Ground ground)
{
    public const string Name = "warranty";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("Warranty");
        var reviewed = ground.OutOfWarranty;
        var open = await ground.Pace.UntilAsync(
            () => CountAsync(reviewed, cover => cover.Review == WarrantyReviewState.Open, cancellationToken),
            reviewed.Count,
            cancellationToken);
        ground.Findings.Require(Name, "reviews opened by the end of a warranty", reviewed.Count, open);
        await Pace.ForEachAsync(
            reviewed,
            (serial, cancel) => ground.Requester.Warranties.CloseWarrantyReviewAsync(
                new CloseWarrantyReviewRequest { Name = NameOf(serial), ProposeDecommission = serial == ground.Reviewed },
                cancellationToken: cancel).ResponseAsync,
            cancellationToken);
        var kept = reviewed.Skip(1).ToList();
        ground.Findings.Require(
            Name,
            "warranties over, devices kept",
            kept.Count,
            await CountAsync(
                kept,
                cover => cover is { Review: WarrantyReviewState.Kept, Status: WarrantyStatus.Ended },
                cancellationToken));
        var proposed = await ground.Pace.UntilAsync(() => ProposedAsync(cancellationToken), 1, cancellationToken);
        ground.Findings.Require(Name, $"decommission of {ground.Reviewed} proposed by its review", 1, proposed);
    }

    private async Task<long> ProposedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var decommission = await ground.Requester.GetDecommissionAsync(ground.Reviewed, cancellationToken);
            return decommission is { State: DecommissionState.Proposed, Cause: "WARRANTY_REVIEW" } ? 1 : 0;
        }
        catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
        {
            return 0;
        }
    }

    private async Task<long> CountAsync(
        IReadOnlyList<string> serials, Func<Warranty, bool> isSo, CancellationToken cancellationToken)
    {
        var count = 0L;
        await Pace.ForEachAsync(
            serials,
            async (serial, cancel) =>
            {
                var cover = await ground.Requester.Warranties.GetWarrantyAsync(
                    new GetWarrantyRequest { Name = NameOf(serial) }, cancellationToken: cancel);
                Interlocked.Add(ref count, isSo(cover) ? 1 : 0);
            },
            cancellationToken);
        return count;
    }

    private static string NameOf(string serial) => $"{Ground.Parent}/devices/{serial}/warranty";
}
