using Microsoft.Extensions.Logging;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>What the inventory does by the clock. A partition in which nothing happens has no timer that fires.</summary>
internal sealed partial class InventoryGrain
{
    /// <summary>How often is looked, while there is something to look for.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private IDueListGrain? _dueList;
    private IGrainTimer? _timer;

    /// <summary>When the timer fires.</summary>
    private DateTimeOffset _ticksAt = DateTimeOffset.MaxValue;

    /// <summary>
    /// The date until which the due list sleeps, as far as is known here: an earlier one is told to it. Its own question says it anew.
    /// </summary>
    private DateTimeOffset _dueTold = DateTimeOffset.MaxValue;

    /// <summary>From the end of the activation to the beginning of its end: what runs beside may come to its end later.</summary>
    private bool _isHere;

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax)
    {
        var due = _tables.Due.DueBy(now, recordsMax);

        // As long as something is due it asks every second.
        _dueTold = due.Records.IsEmpty ? due.NextAt ?? DateTimeOffset.MaxValue : DateTimeOffset.MinValue;
        return Task.FromResult(due);
    }

    private bool IsDueUntold => _tables.Due.Earliest < _dueTold;

    /// <summary>What follows from what was read: where the poll looks from now on, and dates that the due list does not know.</summary>
    private void Settle()
    {
        if (!_isHere)
        {
            return;
        }

        _revocations.Set(_partition, this, _watched, _position, _watchedAt);
        _poll.Set(_partition, this, _position);
        TellReach();
        TellDue();
        SetTimer();
    }

    private void SetTimer()
    {
        var now = _clock.GetUtcNow();
        var soonest = now + TickInterval;
        var at = _trims.IsAlarming || IsDueUntold ? soonest : _presence.ExpiresFrom ?? DateTimeOffset.MaxValue;
        at = at < soonest ? soonest : at;
        if (at >= _ticksAt)
        {
            return;
        }

        _ticksAt = at;
        _timer ??= this.RegisterGrainTimer(
            TickAsync, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _timer.Change(at - now, Timeout.InfiniteTimeSpan);
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        _ticksAt = DateTimeOffset.MaxValue;
        try
        {
            _presence.Expire(_clock.GetUtcNow());
            TellReach();
            TellDue();
            await _trims.TickAsync(_position, cancellationToken);
        }
        finally
        {
            SetTimer();
        }
    }

    private void TellDue()
    {
        if (_tables.Due.Earliest is { } earliest && earliest < _dueTold)
        {
            _dueTold = earliest;
            _ = WakeAsync(earliest);
        }
    }

    /// <summary>Not awaited: the due list may be asking this grain at the same time.</summary>
    private async Task WakeAsync(DateTimeOffset at)
    {
        try
        {
            _dueList ??= GrainFactory.GetDueList(_partition);
            await _dueList.WakeAsync(at);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Told again with the next tick, unless it has asked meanwhile.
            LogNotWoken(fault, _partition, at);
            if (_dueTold == at && _isHere)
            {
                _dueTold = DateTimeOffset.MaxValue;
                SetTimer();
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The due list of partition {Partition} was not told of {At}; it is told again")]
    private partial void LogNotWoken(Exception fault, int partition, DateTimeOffset at);
}
