using System.Collections.Concurrent;
using Muster.Contracts.Devices;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>What was offered.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>All offers that were made.</summary>
    public ConcurrentQueue<OfferChange> Offers { get; } = [];
}
