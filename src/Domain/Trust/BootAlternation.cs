using Muster.Domain.Devices;

namespace Muster.Domain.Trust;

/// <summary>
/// Counts how often the hellos of one identity come back to an earlier boot. A device that boots goes on to a boot that nobody has heard
/// of, and one that connects again stays in its boot: neither counts. Two units with one identity come back to each other's boots.
/// Kept in memory only: a silo that stops forgets at most the two returns that are not suspicious yet.
/// </summary>
/// <param name="LastBoot">The boot of the hello that was heard last.</param>
/// <param name="Returns">When hellos came back to an earlier boot, within <see cref="Window"/>.</param>
public sealed record BootAlternation(string LastBoot, ImmutableArray<DateTimeOffset> Returns)
{
    /// <summary>
    /// A, B, A, B, A. A message of the boot before that arrives late makes one return and the repetition that follows it another; three are
    /// more than one device makes.
    /// </summary>
    public const int ReturnsMin = 3;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    public bool IsSuspicious => Returns.Length >= ReturnsMin;

    /// <summary>Hears a hello.</summary>
    /// <param name="before">What was counted; null when nothing was.</param>
    /// <param name="known">The boots on record before this hello, newest last.</param>
    /// <param name="boot">The hello's boot.</param>
    /// <param name="now">The time.</param>
    /// <returns>What is counted now; null while there is nothing to remember.</returns>
    public static BootAlternation? Hear(
        BootAlternation? before, ImmutableArray<BootSequences> known, string boot, DateTimeOffset now)
    {
        var last = before?.LastBoot ?? (known.IsDefaultOrEmpty ? boot : known[^1].BootId);
        if (boot == last)
        {
            return before;
        }

        // The first message of a boot may be of another kind; what is on record below the newest was heard before all the same.
        var isReturn = known.Any(heard => heard.BootId == boot);
        var earliest = now - Window;
        ImmutableArray<DateTimeOffset> returns = [.. (before?.Returns ?? []).Where(at => at > earliest)];
        if (isReturn)
        {
            returns = returns.Length < ReturnsMin ? returns.Add(now) : returns.RemoveAt(0).Add(now);
        }

        return returns.IsEmpty ? null : new BootAlternation(boot, returns);
    }
}
