namespace Muster.Domain.EndOfSupport;

/// <summary>How far a step of a sweep over the fleet came.</summary>
/// <param name="Done">Partitions that are through.</param>
/// <param name="After">The name after which the first partition that is not done goes on; empty at its beginning.</param>
/// <param name="Counted">Devices of this step that count.</param>
/// <param name="Missed">Devices of this step that could not be asked: another sweep has to come back for them.</param>
public sealed record SweepStep(PartitionSet Done, string After, long Counted, long Missed)
{
    /// <summary>
    /// How soon a sweep that missed devices is repeated: what keeps one device from answering lasts longer than a moment, and a whole
    /// fleet asked every ten minutes is no load.
    /// </summary>
    public static readonly TimeSpan RepeatInterval = TimeSpan.FromMinutes(10);
}
