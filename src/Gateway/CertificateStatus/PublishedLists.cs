using System.Collections.Concurrent;
using Muster.Contracts.CertificateStatus;

namespace Muster.Gateway.CertificateStatus;

/// <summary>
/// The newest revocation lists that a silo gave, asked for anew at most every few seconds and never twice at a time, however many fetch
/// them. A list that no silo answers for is given out until its own end.
/// </summary>
internal sealed partial class PublishedLists(IGrainFactory grains, TimeProvider clock, ILogger<PublishedLists> logger) : IDisposable
{
    /// <summary>With the ten seconds of the silo, a tombstone is on the list within a quarter of a minute.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<int, (RevocationListReply List, long AskedAt)> _lists = new();
    private readonly SemaphoreSlim _asking = new(1, 1);

    public async Task<RevocationListReply> GetAsync(int generation, CancellationToken cancellationToken)
    {
        if (IsFresh(generation, out var fresh))
        {
            return fresh;
        }

        await _asking.WaitAsync(cancellationToken);
        try
        {
            return IsFresh(generation, out fresh) ? fresh : await AskAsync(generation);
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    private bool IsFresh(int generation, out RevocationListReply list)
    {
        var isKnown = _lists.TryGetValue(generation, out var known);
        list = known.List;

        // Not by the wall's clock: set back, it would keep the list of before for as long.
        return isKnown && clock.GetElapsedTime(known.AskedAt) < Freshness;
    }

    private async Task<RevocationListReply> AskAsync(int generation)
    {
        var known = _lists.TryGetValue(generation, out var last) ? last.List : null;
        var askedAt = clock.GetTimestamp();
        RevocationListReply reply;
        try
        {
            reply = await grains.GetCertificateStatus().GetListAsync(generation, known?.Number ?? 0);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && clock.GetUtcNow() < known?.NextUpdate)
        {
            LogNotAnswered(logger, exception, generation);
            return known;
        }

        if (reply.Error is not null)
        {
            // Not kept: anybody may ask for any number.
            return reply;
        }

        var list = known is not null && reply.Number == known.Number ? known : reply;
        _lists[generation] = (list, askedAt);
        return list;
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "No silo gave the revocation list of fleet CA {Generation}; the last one is given out")]
    private static partial void LogNotAnswered(ILogger logger, Exception exception, int generation);
}
