using System.Collections.Concurrent;
using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Protocol.V1;
using V1 = Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>The product's support ends; two people retire devices, which prove their erasure and are refused from then on.</summary>
internal sealed class RetirementSteps(Ground ground)
{
    public const string Name = "end-of-support";

    private const string TwoPeople = "two-people";

    /// <summary>Time enough to see that nothing is proposed before it.</summary>
    private static readonly TimeSpan SupportLeft = TimeSpan.FromSeconds(2);

    private readonly ErasureProofVerifier _proofs = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ground.Stage.Heading("End of support");
        var installs = ground.Witness.Installs();
        await ProposeAsync(cancellationToken);
        await RequireOtherApproverAsync(cancellationToken);
        await Pace.ForEachAsync(ground.Retired, RetireAsync, cancellationToken);
        await DecommissionedAsync(cancellationToken);
        await TombstonesAsync(cancellationToken);
        ground.Findings.Require(
            BreakStep.DuplicateInstall, "installs by the fleet's own log since the rollout", 0, ground.Witness.Installs() - installs);
    }

    /// <summary>One campaign proposes every device, but for the one that its warranty review has proposed already.</summary>
    private async Task ProposeAsync(CancellationToken cancellationToken)
    {
        var end = Timestamp.FromDateTimeOffset(ground.Time.GetUtcNow() + SupportLeft);
        var product = await ground.Requester.Products.CreateProductAsync(
            new CreateProductRequest
            {
                Parent = Ground.Parent,
                ProductId = Ground.Model,
                RequestId = "demo-product",
                Product = new Product { OsSupportEndsAt = end, HardwareSupportEndsAt = end },
            },
            cancellationToken: cancellationToken);
        var expected = ground.Devices - 1;
        await ground.Pace.UntilAsync(
            async () =>
            {
                product = await ground.Requester.Products.GetProductAsync(
                    new GetProductRequest { Name = product.Name }, cancellationToken: cancellationToken);
                ground.Stage.Show([Stage.Bar("proposed", product.Proposed, expected)]);
                return product.CampaignComplete ? 1 : 0;
            },
            1,
            cancellationToken);
        ground.Stage.Show([]);
        ground.Findings.Require(Name, "decommissions proposed by the campaign", expected, product.Proposed);
    }

    private async Task RetireAsync(string serial, CancellationToken cancellationToken)
    {
        await ground.Requester.Decommissions.RequestDecommissionAsync(
            new RequestDecommissionRequest { Name = NameOf(serial) }, cancellationToken: cancellationToken);
        await ground.Approver.Decommissions.ApproveDecommissionAsync(
            new ApproveDecommissionRequest { Name = NameOf(serial) }, cancellationToken: cancellationToken);
    }

    private async Task RequireOtherApproverAsync(CancellationToken cancellationToken)
    {
        var name = NameOf(ground.Retired[0]);
        await ground.Requester.Decommissions.RequestDecommissionAsync(
            new RequestDecommissionRequest { Name = name }, cancellationToken: cancellationToken);
        try
        {
            await ground.Requester.Decommissions.ApproveDecommissionAsync(
                new ApproveDecommissionRequest { Name = name }, cancellationToken: cancellationToken);
            ground.Findings.Add(TwoPeople, "the requester approved his own decommission");
        }
        catch (RpcException refusal) when (OperatorClient.ReasonOf(refusal) == "APPROVER_IS_REQUESTER")
        {
            ground.Stage.Tell($"the requester's own approval is refused: {refusal.Status.Detail}");
        }
    }

    private async Task DecommissionedAsync(CancellationToken cancellationToken)
    {
        var retired = ground.Retired;
        var decommissioned = 0L;
        await ground.Pace.UntilAsync(
            async () =>
            {
                decommissioned = await ground.Requester.CountAsync("state=DECOMMISSIONED", cancellationToken);
                ground.Stage.Show([Stage.Bar("tombstones", decommissioned, retired.Count)]);

                // Whose proof is refused does not become a tombstone; there is nothing to wait for.
                return decommissioned + ground.Witness.Count(retired, IsUnproven);
            },
            retired.Count,
            cancellationToken);
        ground.Stage.Show([]);
        ground.Tally.Decommissioned = decommissioned;
        ground.Findings.Require(BreakStep.UnprovenErasure, "decommissioned", retired.Count, decommissioned);
        await ground.CompareAsync(BreakStep.UnprovenErasure, "erased", decommissioned, story => story.IsErased, cancellationToken);
        await ProofsAsync(cancellationToken);
    }

    /// <summary>The evidence of each decommission that is complete, verified here as anybody could.</summary>
    private async Task ProofsAsync(CancellationToken cancellationToken)
    {
        var (unproven, alone, missing) = (new ConcurrentBag<string>(), new ConcurrentBag<string>(), new ConcurrentBag<string>());
        await Pace.ForEachAsync(
            ground.Retired,
            async (serial, cancel) =>
            {
                var decommission = await CompletedAsync(serial, cancel);
                Note(missing, serial, decommission.State != V1.DecommissionState.Completed);
                Note(alone, serial, decommission.Requester == decommission.Approver);
                Note(unproven, serial, !IsProven(serial, decommission.Evidence));
            },
            cancellationToken);
        ground.Stage.Tell($"proofs of erasure verified: {ground.Retired.Count - unproven.Count} of {ground.Retired.Count}");
        ground.Findings.RequireNone(BreakStep.UnprovenErasure, "without a proof of erasure that verifies", unproven);
        ground.Findings.RequireNone(BreakStep.UnprovenErasure, "decommissions that are not complete", missing);
        ground.Findings.RequireNone(TwoPeople, "requested and approved by the same person", alone);
    }

    /// <summary>The decommission looks at its device after seconds, so it is complete a little later than the device.</summary>
    private async Task<V1.Decommission> CompletedAsync(string serial, CancellationToken cancellationToken)
    {
        var decommission = await ground.Requester.GetDecommissionAsync(serial, cancellationToken);
        await ground.Pace.UntilAsync(
            async () =>
            {
                decommission = await ground.Requester.GetDecommissionAsync(serial, cancellationToken);
                return decommission.State == V1.DecommissionState.Completed ? 1 : 0;
            },
            1,
            cancellationToken,
            () => IsUnproven(ground.Witness.Of(serial)));
        return decommission;
    }

    private bool IsProven(string serial, V1.ErasureEvidence? evidence)
    {
        if (evidence is null || !DeviceId.TryParse(serial, out var id))
        {
            return false;
        }

        var proof = new ErasureProof(TenantId.Default, id, evidence.Nonce, evidence.BootId, ErasureProof.FactoryDefault);
        return _proofs.Verify(proof, [.. evidence.PublicKey.Span], [.. evidence.Proof.Span]) is null;
    }

    private async Task TombstonesAsync(CancellationToken cancellationToken)
    {
        var tombstones = (await ground.Requester.ListSerialsAsync("state=DECOMMISSIONED", cancellationToken)).ToImmutableHashSet();
        await ground.Pace.UntilAsync(
            () => Task.FromResult(ground.Witness.Count(tombstones, story => story.IsTombstone || story.IsLetIn)),
            tombstones.Count,
            cancellationToken);
        var gone = 0L;
        await ground.Pace.UntilAsync(
            async () =>
            {
                var serials = await ground.Requester.ListSerialsAsync("state=DECOMMISSIONED AND connected=false", cancellationToken);
                gone = ground.Witness.Count(serials, story => story is { IsTombstone: true, IsLetIn: false });
                return gone + ground.Witness.Count(tombstones, story => story.IsLetIn);
            },
            tombstones.Count,
            cancellationToken);
        ground.Tally.TombstoneRefused = gone;
        ground.Findings.Require(BreakStep.TombstoneLetIn, "tombstones refused and not connected", tombstones.Count, gone);
        ground.Findings.RequireNone(
            BreakStep.TombstoneLetIn,
            "they were let in after they had been refused as tombstones",
            [.. tombstones.Where(serial => ground.Witness.Of(serial).IsLetIn)]);
    }

    private static bool IsUnproven(DeviceStory story) => story.IsRefusedFor("ERASURE_PROOF_INVALID");

    private static void Note(ConcurrentBag<string> found, string serial, bool isSo)
    {
        if (isSo)
        {
            found.Add(serial);
        }
    }

    private static string NameOf(string serial) => $"{Ground.Parent}/decommissions/{serial}";
}
