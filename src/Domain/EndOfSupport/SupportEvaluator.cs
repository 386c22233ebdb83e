namespace Muster.Domain.EndOfSupport;

/// <summary>Says from a product's dates how it is supported on any date.</summary>
public static class SupportEvaluator
{
    /// <summary>Axis' general support policy: about five years of OS support after discontinuation, unless announced otherwise.</summary>
    public const int OsYearsAfterDiscontinuation = 5;

    /// <summary>CISA BOD 26-02 asks for what ends within twelve months; also time enough for a budget.</summary>
    public const int WarningMonths = 12;

    /// <summary>
    /// When support ends: the announced end of OS support; else five years after discontinuation; else the end of hardware
    /// support. The OS counts first, because a device that nobody patches is a risk while a device that nobody repairs is not.
    /// </summary>
    public static DateTimeOffset? EndsAt(SupportWindow window) =>
        window.OsSupportEndsAt ?? window.DiscontinuedAt?.AddYears(OsYearsAfterDiscontinuation) ?? window.HardwareSupportEndsAt;

    /// <summary>The first instant within twelve months of the end; null without an end.</summary>
    public static DateTimeOffset? WarnsAt(SupportWindow window) => EndsAt(window)?.AddMonths(-WarningMonths);

    /// <summary>The status at an instant.</summary>
    public static SupportStatus StatusAt(SupportWindow window, DateTimeOffset at) => EndsAt(window) switch
    {
        null => SupportStatus.NoDateAnnounced,
        { } ends when at >= ends => SupportStatus.EndOfSupport,
        { } ends when at >= ends.AddMonths(-WarningMonths) => SupportStatus.EndingWithin12Months,
        _ => SupportStatus.Supported,
    };
}
