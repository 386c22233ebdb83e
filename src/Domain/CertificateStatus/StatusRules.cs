using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.CertificateStatus;

/// <summary>
/// Which certificates of the fleet CA count as revoked for those who cannot ask the device's record (RFC 5280, RFC 6960), and when that
/// is published anew. A device in quarantine keeps its certificate good: it has to reach the network to heal (docs/adr/0015).
/// </summary>
public static class StatusRules
{
    /// <summary>From thisUpdate to nextUpdate of a list: a relying party lives through a weekday's outage of ours.</summary>
    public static readonly TimeSpan ListLifetime = TimeSpan.FromHours(24);

    /// <summary>A list of this age is made anew although nothing changed, so that what is fetched is good for hours.</summary>
    public static readonly TimeSpan ListAgeMax = TimeSpan.FromHours(12);

    /// <summary>
    /// Replaced certificates, which belong to devices in good standing, join at this pace: in a fleet of 100,000 one ends its overlap every
    /// 17 seconds, and a list of all of them has a megabyte. A tombstone's make a list at once.
    /// </summary>
    public static readonly TimeSpan SupersededDelay = TimeSpan.FromHours(1);

    /// <summary>From thisUpdate to nextUpdate of an OCSP answer.</summary>
    public static readonly TimeSpan AnswerLifetime = TimeSpan.FromHours(1);

    /// <summary>How old what is known of all partitions may be before it is asked for again.</summary>
    public static readonly TimeSpan CollectionAgeMax = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Certificates on one list, some 20 MB: what a fleet of 1.4 million that changes its keys has. Above, replaced ones that end soonest
    /// are left out.
    /// </summary>
    public const int ListEntriesMax = 500_000;

    /// <summary>Of one partition in one message: the fewest partitions for a million devices have a third of it.</summary>
    public const int PartitionEntriesMax = 65_536;

    /// <summary>What the record says of revoked certificates, those included whose overlap ends later.</summary>
    public static ImmutableArray<RevokedCertificate> RevocationsOf(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var listed = device.RevokedCertificates.IsDefault ? [] : device.RevokedCertificates;
        if (device.Certificates.IsDefaultOrEmpty || device.Certificates is [{ ReplacedUntil: null }])
        {
            return listed;
        }

        return
        [
            .. listed,
            .. device.Certificates.Where(known => known.ReplacedUntil < known.NotAfter).Select(known => new RevokedCertificate(
                known.Serial, known.Generation, RevocationCause.Superseded, known.ReplacedUntil!.Value, known.NotAfter)),
        ];
    }

    /// <summary>
    /// Revoked by now, and not ended by itself. A tombstone's is in force from its commit on, whatever the clock was that dated it; only
    /// what was replaced is told of in advance.
    /// </summary>
    public static bool IsInForce(RevokedCertificate revoked, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(revoked);
        return (revoked.Cause == RevocationCause.Decommissioned || revoked.RevokedAt <= now) && now < revoked.NotAfter;
    }

    /// <summary>At most <paramref name="most"/> of them: first those of tombstones, then those that end last.</summary>
    public static IEnumerable<RevokedCertificate> Bound(IReadOnlyCollection<RevokedCertificate> revoked, int most)
    {
        ArgumentNullException.ThrowIfNull(revoked);
        return revoked.Count <= most
            ? revoked
            : revoked.OrderBy(one => one.Cause == RevocationCause.Superseded).ThenByDescending(one => one.NotAfter).Take(most);
    }

    /// <summary>Whether a list with these contents takes the place of the one that is published.</summary>
    public static bool IsDue(RevocationList? published, RevocationContents contents, DateTimeOffset now) =>
        published is null
        || now >= published.ThisUpdate + ListAgeMax
        || contents.Decisive != published.Contents.Decisive
        || (contents != published.Contents && now >= published.ThisUpdate + SupersededDelay);

    /// <summary>The list that follows. Its number is its instant (milliseconds of Unix time), and above that of the one before.</summary>
    public static RevocationList Next(
        RevocationList? published, int generation, ImmutableArray<RevokedCertificate> revoked, DateTimeOffset now)
    {
        var second = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var number = Math.Max(now.ToUnixTimeMilliseconds(), (published?.Number ?? 0) + 1);
        return new RevocationList(generation, number, second, second + ListLifetime, revoked, RevocationContents.Of(revoked));
    }
}

/// <summary>A revocation list before it is signed.</summary>
/// <param name="Generation">Which of the fleet's CAs it is of.</param>
/// <param name="Number">Grows with every list, also across restarts.</param>
/// <param name="ThisUpdate">Whole seconds.</param>
/// <param name="NextUpdate">Whole seconds.</param>
/// <param name="Revoked">In force at <paramref name="ThisUpdate"/>.</param>
/// <param name="Contents">Of <paramref name="Revoked"/>.</param>
public sealed record RevocationList(
    int Generation,
    long Number,
    DateTimeOffset ThisUpdate,
    DateTimeOffset NextUpdate,
    ImmutableArray<RevokedCertificate> Revoked,
    RevocationContents Contents);

/// <summary>Tells two sets of revoked certificates apart, in any order: serial numbers are random, so that their sum is.</summary>
/// <param name="Decisive">Of those that were not merely replaced.</param>
/// <param name="Superseded">Of those that were.</param>
public readonly record struct RevocationContents((int Count, ulong Sum) Decisive, (int Count, ulong Sum) Superseded)
{
    public static RevocationContents Of(IEnumerable<RevokedCertificate> revoked)
    {
        ArgumentNullException.ThrowIfNull(revoked);
        var (decisive, superseded) = ((Count: 0, Sum: 0UL), (Count: 0, Sum: 0UL));
        foreach (var one in revoked)
        {
            var mark = unchecked(one.Serial.High + (one.Serial.Low * 31));
            if (one.Cause == RevocationCause.Superseded)
            {
                superseded = (superseded.Count + 1, unchecked(superseded.Sum + mark));
            }
            else
            {
                decisive = (decisive.Count + 1, unchecked(decisive.Sum + mark));
            }
        }

        return new RevocationContents(decisive, superseded);
    }
}
