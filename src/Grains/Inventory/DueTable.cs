using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>The records of one partition that name a date, earliest first.</summary>
internal sealed class DueTable
{
    private readonly Dictionary<RecordKey, (long Version, DateTimeOffset? At)> _known = [];
    private readonly SortedSet<(DateTimeOffset At, string Kind, string Key)> _due = [];

    /// <summary>The first date of all; null when there is none.</summary>
    public DateTimeOffset? Earliest => _due.Count == 0 ? null : _due.Min.At;

    /// <summary>Takes the date that a commit left; one that is older than what is known changes nothing.</summary>
    public void Apply(RecordKey record, long version, DateTimeOffset? dueAt)
    {
        if (_known.TryGetValue(record, out var known))
        {
            if (known.Version >= version)
            {
                return;
            }

            if (known.At is { } before)
            {
                _due.Remove((before, record.Kind, record.Key));
            }
        }
        else if (dueAt is null)
        {
            // Most records never name a date; an older commit that did is followed by this one in the feed as well.
            return;
        }

        _known[record] = (version, dueAt);
        if (dueAt is { } at)
        {
            _due.Add((at, record.Kind, record.Key));
        }
    }

    /// <summary>The records whose date is not after <paramref name="now"/>, earliest first, and the first date after them.</summary>
    public DueRecords DueBy(DateTimeOffset now, int recordsMax)
    {
        var records = ImmutableArray.CreateBuilder<RecordKey>();
        foreach (var (at, kind, key) in _due)
        {
            if (at > now || records.Count == recordsMax)
            {
                return new DueRecords(records.ToImmutable(), at);
            }

            records.Add(new RecordKey(kind, key));
        }

        return new DueRecords(records.ToImmutable(), null);
    }

    /// <summary>What is here and not in the other, in words, and the other way round.</summary>
    public IEnumerable<string> DifferencesTo(DueTable fold) =>
        _due.Except(fold._due).Select(due => $"{due.Kind}/{due.Key} is due at {due.At:O} here, its record is not.").Concat(
            fold._due.Except(_due).Select(due => $"{due.Kind}/{due.Key} is due at {due.At:O} by its record, not here."));
}
