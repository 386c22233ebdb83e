namespace Muster.Contracts;

/// <summary>
/// How long callers wait for an answer where the cluster's 30 s would hurt: a request that a silo took with it when it died is only
/// noticed by its time.
/// </summary>
public static class CallTimeouts
{
    /// <summary>
    /// Above what the store may take for a commit that it answers at last (four times three seconds), so that nobody repeats what is
    /// still being written.
    /// </summary>
    public const string Commit = "00:00:15";

    /// <summary>Reads a whole partition from the store: 65,000 devices at the fewest partitions for a million, on a slow store.</summary>
    public const string Sweep = "00:02:00";

    /// <summary>For what lives in memory and is told again every two seconds.</summary>
    public const string Presence = "00:00:05";

    /// <summary>
    /// An answer from memory that says how old what it says is: one that comes later than this proves nothing any more.
    /// </summary>
    public const string Watch = "00:00:02";
}
