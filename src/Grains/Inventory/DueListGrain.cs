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

    /// <summary>At most this late while active (design D7).</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    /// <summary>Records called at a time; the rest are called by the next ticks.</summary>
    public const int CallsMax = 64;

    /// <summary>
    /// Records looked at by a tick. Far above what one partition has due at a time; beyond it the earliest dates go first.
    /// </summary>
    public const int DueMax = 4_096;

    private readonly HashSet<RecordKey> _called = [];

    /// <summary>When each record that is due was called last, in ticks: one that fails every time must not hold up the others.</summary>
    private Dictionary<RecordKey, long> _lastCalled = [];
    private IInventoryGrain? _inventory;
    private long _tick;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(TickAsync, new GrainTimerCreationOptions(TickInterval, TickInterval) { KeepAlive = true });
        return Task.CompletedTask;
    }

    public async Task StartAsync()
    {
        if (await this.GetReminder(ReminderName) is null)
        {
            await this.RegisterOrUpdateReminder(ReminderName, ReminderPeriod, ReminderPeriod);
        }
    }

    /// <summary>The activation is all that the reminder is for.</summary>
    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        _inventory ??= GrainFactory.GetInventory(checked((int)this.GetPrimaryKeyLong()));
        var due = await _inventory.GetDueAsync(clock.GetUtcNow(), DueMax);
        _tick++;
        _lastCalled = due.Records.Where(_lastCalled.ContainsKey).ToDictionary(record => record, record => _lastCalled[record]);
        foreach (var record in due.Records.OrderBy(record => _lastCalled.GetValueOrDefault(record)))
        {
            if (_called.Count < CallsMax && _called.Add(record))
            {
                _lastCalled[record] = _tick;
                _ = CallAsync(record);
            }
        }
    }

    /// <summary>Not awaited by the tick: a slow record must not hold up the others.</summary>
    private async Task CallAsync(RecordKey record)
    {
        try
        {
            var grain = GrainFactory.GetGrain<IDueGrain>(GrainId.Create(record.Kind, record.Key));
            await grain.OnDueAsync(CancellationToken.None);
        }
        catch (Exception fault)
        {
            // Still due: the next tick calls again.
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
