using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Grains.CertificateStatus;

/// <summary>
/// Collects what the partitions' inventories know of revoked certificates, when somebody asks and at most every ten seconds, and has it
/// signed. A list stays until it is old or something changed.
/// </summary>
[GrainType(GrainTypes.CertificateStatus)]
internal sealed partial class CertificateStatusGrain : Grain, ICertificateStatusGrain
{
    /// <summary>Partitions asked at a time: hides the round trips and floods no silo.</summary>
    private const int PartitionsAtOnce = 32;

    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly ILogger<CertificateStatusGrain> _logger;
    private readonly IFleetSigner? _signer;
    private readonly PartitionRevocations?[] _known;
    private readonly Dictionary<int, (RevocationList List, ImmutableArray<byte> Der)> _published = [];
    private readonly Dictionary<int, DateTimeOffset> _looked = [];
    private Dictionary<(int Generation, CertificateSerial Serial), RevokedCertificate> _revoked = [];
    private DateTimeOffset? _collectedAt;

    public CertificateStatusGrain(
        PartitionMap partitions, TimeProvider clock, ILogger<CertificateStatusGrain> logger, IFleetSigner? signer = null)
    {
        (_partitions, _clock, _logger, _signer) = (partitions, clock, logger, signer);
        _known = new PartitionRevocations?[partitions.Count];
    }

    public async Task<RevocationListReply> GetListAsync(int generation, long known)
    {
        if (_signer is not { } signer || !signer.Generations.Contains(generation))
        {
            return new RevocationListReply([], 0, default, default, CertificateErrors.FleetAuthorityMissing());
        }

        var now = _clock.GetUtcNow();
        try
        {
            await CollectAsync(now);
            if (!_looked.TryGetValue(generation, out var looked) || looked != _collectedAt)
            {
                if (await PublishAsync(signer, generation, now) is { } unsigned)
                {
                    // What was published is good until its own end, and the next call tries again.
                    return IsPublished(generation, now)
                        ? Reply(generation, known)
                        : new RevocationListReply([], 0, default, default, unsigned);
                }

                _looked[generation] = _collectedAt!.Value;
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && IsPublished(generation, now))
        {
            // What was published is good until its own end.
            LogNotCollected(exception);
        }

        return Reply(generation, known);
    }

    public async Task<OcspReply> AnswerAsync(ImmutableArray<byte> request)
    {
        var now = _clock.GetUtcNow();
        if (_signer is not { } signer)
        {
            return Reply(OcspErrors.Unauthorized);
        }

        try
        {
            await CollectAsync(now);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && _collectedAt is not null)
        {
            LogNotCollected(exception);
        }

        // An answer says from when it is; one that is about to end is none.
        var thisUpdate = _collectedAt!.Value;
        return now >= thisUpdate + StatusRules.AnswerLifetime
            ? Reply(OcspErrors.TryLater)
            : Reply(await signer.AnswerAsync(request, (generation, serial) => Find(generation, serial, now), thisUpdate, now));
    }

    private RevocationListReply Reply(int generation, long known)
    {
        var (list, der) = _published[generation];
        return new RevocationListReply(list.Number == known ? [] : der, list.Number, list.ThisUpdate, list.NextUpdate, null);
    }

    private static OcspReply Reply(OcspAnswer answer) => new(answer.Der, answer.NextUpdate);

    private RevokedCertificate? Find(int generation, CertificateSerial serial, DateTimeOffset now) =>
        _revoked.GetValueOrDefault((generation, serial)) is { } revoked && StatusRules.IsInForce(revoked, now) ? revoked : null;

    private bool IsPublished(int generation, DateTimeOffset now) =>
        _published.TryGetValue(generation, out var published) && now < published.List.NextUpdate;

    /// <summary>Asks every partition for what is new there; a partition where nothing is sends nothing.</summary>
    private async Task CollectAsync(DateTimeOffset now)
    {
        if (_collectedAt is { } at && now - at < StatusRules.CollectionAgeMax)
        {
            return;
        }

        var isNew = false;
        foreach (var batch in Enumerable.Range(0, _partitions.Count).Chunk(PartitionsAtOnce))
        {
            var replies = await Task.WhenAll(batch.Select(partition =>
                GrainFactory.GetInventory(partition).GetRevocationsAsync(_known[partition]?.Mark ?? default)));
            foreach (var (partition, reply) in batch.Zip(replies).Where(pair => pair.Second is not null))
            {
                _known[partition] = reply;
                isNew = true;
            }
        }

        if (isNew)
        {
            _revoked = [];
            foreach (var revoked in _known.SelectMany(reply => reply?.Revoked ?? []))
            {
                _revoked[(revoked.Generation, revoked.Serial)] = revoked;
            }
        }

        _collectedAt = now;
    }

    /// <summary>Has a list signed, if one is due; what hinders it is the answer.</summary>
    private async Task<FleetError?> PublishAsync(IFleetSigner signer, int generation, DateTimeOffset now)
    {
        var living = _revoked.Values
            .Where(revoked => revoked.Generation == generation && StatusRules.IsInForce(revoked, now))
            .ToList();
        RevocationList? published = _published.TryGetValue(generation, out var last) ? last.List : null;
        var bounded = StatusRules.Bound(living, StatusRules.ListEntriesMax).ToImmutableArray();
        if (!StatusRules.IsDue(published, RevocationContents.Of(bounded), now))
        {
            return null;
        }

        if (bounded.Length < living.Count)
        {
            LogTooMany(generation, living.Count, bounded.Length);
        }

        var next = StatusRules.Next(published, generation, bounded, now);
        var (der, unsigned) = await signer.SignListAsync(next);
        if (unsigned is not null)
        {
            return unsigned;
        }

        _published[generation] = (next, der);
        LogPublished(generation, next.Number, bounded.Length);
        return null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Revocation list {Number} of fleet CA {Generation} has {Count} certificates")]
    private partial void LogPublished(int generation, long number, int count);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Fleet CA {Generation} has {Count} revoked certificates; its list names {Kept}, without replaced ones that end soonest")]
    private partial void LogTooMany(int generation, int count, int kept);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Revoked certificates were not collected; what was known before is given out")]
    private partial void LogNotCollected(Exception exception);
}
