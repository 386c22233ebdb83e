using System.Collections.Immutable;
using Muster.Domain;
using Muster.Domain.Decommissioning;

namespace Muster.Grains.Tests.Inventory;

/// <summary>For silos in which no device is erased.</summary>
internal sealed class NeverAsked : IErasureProofVerifier
{
    public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature) =>
        throw new InvalidOperationException("No device is erased here.");
}
