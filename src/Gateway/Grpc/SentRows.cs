using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>What a watcher was sent: which rows he has, and in which version.</summary>
internal sealed class SentRows
{
    private readonly Dictionary<RecordKey, Sent> _rows = [];
    private int _comparison;

    /// <summary>A row that an inventory tells of; false when it leaves and the watcher does not have it.</summary>
    public bool Take(ListedRow row)
    {
        if (!row.HasLeft)
        {
            Remember(row);
            return true;
        }

        // Beyond the limit nobody knows whether he has it: to be told of one that he has not is harmless.
        return _rows.Remove(row.Record) || _rows.Count >= RowBuffer.WaitingMax;
    }

    /// <summary>Begins to go through all rows that match.</summary>
    public void BeginComparison() => _comparison++;

    /// <summary>A row that matches; null when he has it in this version.</summary>
    public ListedRow? Compare(ListedRow row)
    {
        var isKnown = _rows.TryGetValue(row.Record, out var sent) && sent.Version >= row.Version;
        Remember(row);
        return isKnown ? null : row;
    }

    /// <summary>The rows that he has and that no longer match.</summary>
    public IReadOnlyList<RecordKey> EndComparison()
    {
        var gone = _rows.Where(row => row.Value.Comparison != _comparison).Select(row => row.Key).ToList();
        gone.ForEach(record => _rows.Remove(record));
        return gone;
    }

    private void Remember(ListedRow row)
    {
        // Beyond the limit a renewal repeats rows, which is harmless.
        if (_rows.Count < RowBuffer.WaitingMax || _rows.ContainsKey(row.Record))
        {
            _rows[row.Record] = new Sent(row.Version, _comparison);
        }
    }

    private readonly record struct Sent(long Version, int Comparison);
}
