using Orleans.CodeGeneration;

namespace Muster.Contracts.Inventory;

/// <summary>
/// The clock of one partition: calls every record whose date has passed (<see cref="Commit.IDueGrain"/>). One reminder brings
/// it back to life; while it lives it sleeps until the next date and is at most a second late. Key: the partition's number.
/// </summary>
[GrainInterfaceType("muster.due-list"), Alias("muster.IDueListGrain"), Version(1)]
public interface IDueListGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that the reminder exists and the timer runs.</summary>
    [Alias("Start")]
    Task StartAsync();

    /// <summary>
    /// The partition has a date that may be earlier than the one until which this sleeps; it is looked for when it has come. Sent by the
    /// inventory.
    /// </summary>
    [Alias("Wake"), ResponseTimeout(CallTimeouts.Presence)]
    Task WakeAsync(DateTimeOffset at);
}
