using Muster.Contracts.CertificateStatus;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Grains.CertificateStatus;

/// <summary>
/// What the partitions' inventories know of revoked certificates, as it was collected last. Not safe for threads: a grain has it.
/// </summary>
internal sealed class CollectedRevocations(int partitions, TimeProvider clock)
{
    /// <summary>Partitions asked at a time: hides the round trips and floods no silo.</summary>
    public const int PartitionsAtOnce = 32;

    private readonly PartitionRevocations?[] _known = new PartitionRevocations?[partitions];
    private Dictionary<(int Generation, CertificateSerial Serial), RevokedCertificate> _revoked = [];

    /// <summary>Kept across collections that fail: a partition that has told its news does not tell them again.</summary>
    private bool _hasNews;

    private long _collectedAt;

    /// <summary>From when what is known is, by the wall's clock; null before the first time that all partitions answered.</summary>
    public DateTimeOffset? At { get; private set; }

    public IReadOnlyCollection<RevokedCertificate> All => _revoked.Values;

    /// <summary>Whether what is known is this young. The wall's clock may be set back, and nothing would be asked for meanwhile.</summary>
    public bool IsYounger(TimeSpan age) => At is not null && clock.GetElapsedTime(_collectedAt) < age;

    /// <summary>The revocation of a certificate that is in force; null for none.</summary>
    public RevokedCertificate? Find(int generation, CertificateSerial serial, DateTimeOffset now) =>
        _revoked.GetValueOrDefault((generation, serial)) is { } revoked && StatusRules.IsInForce(revoked, now) ? revoked : null;

    /// <summary>
    /// Asks every partition for what is new there, unless that was done just now; a partition where nothing is gives null. When one does
    /// not answer, what is known stays as old as it was.
    /// </summary>
    public async Task CollectAsync(Func<int, RevocationMark, Task<PartitionRevocations?>> ask)
    {
        ArgumentNullException.ThrowIfNull(ask);
        if (IsYounger(StatusRules.CollectionAgeMax))
        {
            return;
        }

        var (at, askedAt) = (clock.GetUtcNow(), clock.GetTimestamp());
        foreach (var batch in Enumerable.Range(0, _known.Length).Chunk(PartitionsAtOnce))
        {
            var replies = await Task.WhenAll(batch.Select(partition => ask(partition, _known[partition]?.Mark ?? default)));
            foreach (var (partition, reply) in batch.Zip(replies).Where(pair => pair.Second is not null))
            {
                _known[partition] = reply;
                _hasNews = true;
            }
        }

        if (_hasNews)
        {
            _revoked = [];
            foreach (var revoked in _known.SelectMany(reply => reply?.Revoked ?? []))
            {
                _revoked[(revoked.Generation, revoked.Serial)] = revoked;
            }

            _hasNews = false;
        }

        (At, _collectedAt) = (at, askedAt);
    }
}
