using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Which images the devices of a share were offered, as they said: on its way back, and once the image of any step is revoked. Volatile:
/// after a reactivation each device that has not named its offer is asked once.
/// </summary>
internal sealed class ChosenImages(TimeProvider clock)
{
    /// <summary>Who did not say his image is asked for it again so much later: his record may be unreadable for days.</summary>
    public static readonly TimeSpan SilenceInterval = TimeSpan.FromMinutes(1);

    /// <summary>By member, the offer and its image.</summary>
    private readonly Dictionary<int, (long Generation, string Digest)> _known = [];

    /// <summary>By member, when he was asked and did not answer.</summary>
    private readonly Dictionary<int, long> _silentSince = [];

    /// <summary>Nothing is kept of anybody.</summary>
    public bool IsEmpty => _known.Count == 0 && _silentSince.Count == 0;

    public IEnumerable<string> Digests => _known.Values.Select(known => known.Digest).Distinct();

    /// <summary>What the device was offered; null when it did not say so of this offer.</summary>
    public string? Find(OpenOffer offer) =>
        _known.TryGetValue(offer.Member, out var known) && (known.Generation == offer.Generation || known.Generation == 0)
            ? known.Digest
            : null;

    /// <summary>The device is to be asked: it did not say, and not so just now.</summary>
    public bool IsAsked(OpenOffer offer) =>
        Find(offer) is null
        && !(_silentSince.TryGetValue(offer.Member, out var since) && clock.GetElapsedTime(since) < SilenceInterval);

    public void Remember(int member, long generation, string digest)
    {
        _known[member] = (generation, digest);
        _silentSince.Remove(member);
    }

    public void NoteSilence(int member) => _silentSince[member] = clock.GetTimestamp();

    /// <summary>Forgets all but these: what was offered to the others is over, and of their next offers nobody was asked yet.</summary>
    public void KeepOnly(IReadOnlySet<int> members)
    {
        Keep(_known, members);
        Keep(_silentSince, members);
    }

    private static void Keep<T>(Dictionary<int, T> entries, IReadOnlySet<int> members)
    {
        foreach (var member in entries.Keys.Where(member => !members.Contains(member)).ToArray())
        {
            entries.Remove(member);
        }
    }
}
