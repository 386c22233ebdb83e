using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>The clock of one partition. Keeps nothing: what is due stands in the records, and the inventory knows it.</summary>
[GrainType(GrainTypes.DueList)]
internal sealed partial class DueListGrain(TimeProvider clock, ILogger<DueListGrain> logger) : Grain, IDueListGrain, IRemindable
{
    public const string ReminderName = "due-list";

    /// <summary>The shortest period that reminders allow; it only brings the grain back to life.</summary>
    public static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);

    /// <summary>Records called at a time; the rest are called by the next looks.</summary>
    public const int CallsMax = 64;

    /// <summary>
    /// Records looked at at a time. Far above what one partition has due at a time; beyond it the earliest dates go first.
    /// </summary>
    public const int DueMax = 4_096;

    private readonly HashSet<RecordKey> _called = [];
    private readonly DueAlarm _alarm = new();

    /// <summary>When each record that is due was called last, in looks: one that fails every time must not hold up the others.</summary>
    private Dictionary<RecordKey, long> _lastCalled = [];
    private IInventoryGrain? _inventory;
    private IGrainTimer? _timer;
    private long _look;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // It sleeps for longer than the collection lets an idle grain live.
        DelayDeactivation(Timeout.InfiniteTimeSpan);
        _timer = this.RegisterGrainTimer(LookAsync, new GrainTimerCreationOptions(DueAlarm.Pace, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public async Task StartAsync()
    {
        if (await this.GetReminder(ReminderName) is null)
        {
            await this.RegisterOrUpdateReminder(ReminderName, ReminderPeriod, ReminderPeriod);
        }

        // A silo may have died that had the inventory: nobody else would ask for it.
        await WakeAsync(DateTimeOffset.MinValue);
    }

    public Task WakeAsync(DateTimeOffset at)
    {
        _alarm.Wake(at);
        SetTimer();
        return Task.CompletedTask;
    }

    /// <summary>The activation is all that the reminder is for.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    private void SetTimer() => _timer!.Change(_alarm.Sleep(clock.GetUtcNow()), Timeout.InfiniteTimeSpan);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        _inventory ??= GrainFactory.GetInventory(checked((int)this.GetPrimaryKeyLong()));
        var now = clock.GetUtcNow();
        _alarm.Begin(now);
        DueRecords? due = null;
        try
        {
            due = await _inventory.GetDueAsync(now, DueMax);
            Call(due);
        }
        finally
        {
            _alarm.End(due);
            SetTimer();
        }
    }

    private void Call(DueRecords due)
    {
        _look++;
        _lastCalled = due.Records.Where(_lastCalled.ContainsKey).ToDictionary(record => record, record => _lastCalled[record]);
        foreach (var record in due.Records.OrderBy(record => _lastCalled.GetValueOrDefault(record)))
        {
            if (_called.Count < CallsMax && _called.Add(record))
            {
                _lastCalled[record] = _look;
                _ = CallAsync(record);
            }
        }
    }

    /// <summary>Not awaited by the look: a slow record must not hold up the others.</summary>
    private async Task CallAsync(RecordKey record)
    {
        try
        {
            var grain = GrainFactory.GetGrain<IDueGrain>(GrainId.Create(record.Kind, record.Key));
            await grain.OnDueAsync(CancellationToken.None);
        }
        catch (Exception fault)
        {
            // Still due: the next look calls again.
            LogCallFailed(fault, record);
        }
        finally
        {
            _called.Remove(record);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Record {Record} is due and could not be called; it is called again")]
    private partial void LogCallFailed(Exception fault, RecordKey record);
}
