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
    private readonly TimeProvider _clock;
    private readonly ILogger<CertificateStatusGrain> _logger;
    private readonly IFleetSigner? _signer;
    private readonly CollectedRevocations _collected;
    private readonly Dictionary<int, (RevocationList List, ImmutableArray<byte> Der)> _published = [];
    private readonly Dictionary<int, DateTimeOffset> _looked = [];

    public CertificateStatusGrain(
        PartitionMap partitions, TimeProvider clock, ILogger<CertificateStatusGrain> logger, IFleetSigner? signer = null)
    {
        (_clock, _logger, _signer) = (clock, logger, signer);
        _collected = new CollectedRevocations(partitions.Count, clock);
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
            await CollectAsync();
            if (!_looked.TryGetValue(generation, out var looked) || looked != _collected.At)
            {
                if (await PublishAsync(signer, generation, now) is { } unsigned)
                {
                    // What was published is good until its own end, and the next call tries again.
                    return IsPublished(generation, now)
                        ? Reply(generation, known)
                        : new RevocationListReply([], 0, default, default, unsigned);
                }

                _looked[generation] = _collected.At!.Value;
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
            await CollectAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && _collected.At is not null)
        {
            LogNotCollected(exception);
        }

        // An answer says from when it is; one that is about to end is none.
        var thisUpdate = _collected.At!.Value;
        return now >= thisUpdate + StatusRules.AnswerLifetime || !_collected.IsYounger(StatusRules.AnswerLifetime)
            ? Reply(OcspErrors.TryLater)
            : Reply(await signer.AnswerAsync(
                request, (generation, serial) => _collected.Find(generation, serial, now), thisUpdate, now));
    }

    private RevocationListReply Reply(int generation, long known)
    {
        var (list, der) = _published[generation];
        return new RevocationListReply(list.Number == known ? [] : der, list.Number, list.ThisUpdate, list.NextUpdate, null);
    }

    private static OcspReply Reply(OcspAnswer answer) => new(answer.Der, answer.NextUpdate);

    private bool IsPublished(int generation, DateTimeOffset now) =>
        _published.TryGetValue(generation, out var published) && now < published.List.NextUpdate;

    private Task CollectAsync() => _collected.CollectAsync(
        (partition, known) => GrainFactory.GetInventory(partition).GetRevocationsAsync(known));

    /// <summary>Has a list signed, if one is due; what hinders it is the answer.</summary>
    private async Task<FleetError?> PublishAsync(IFleetSigner signer, int generation, DateTimeOffset now)
    {
        var living = _collected.All
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
