namespace Muster.Domain.Devices;

/// <summary>What a message's stamp says about it.</summary>
public enum MessageNovelty
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Not seen before: it is applied.</summary>
    News = 1,

    /// <summary>Seen before: it is acknowledged again.</summary>
    Repetition = 2,

    /// <summary>Of a known boot that is not the newest: acknowledged and counted, never applied, never suspicious.</summary>
    OlderBoot = 3,
}

/// <summary>
/// Tells repetitions from news by boot and sequence (design.md §5): of hello and report the highest sequence counts, of
/// inventory and result a gap may still be filled within a window of 32.
/// </summary>
public static class MessageWindow
{
    public static MessageNovelty Judge(ImmutableArray<BootSequences> boots, UpKind kind, MessageStamp stamp)
    {
        for (var i = boots.Length - 1; i >= 0; i--)
        {
            if (boots[i].BootId != stamp.BootId)
            {
                continue;
            }

            if (i < boots.Length - 1)
            {
                return MessageNovelty.OlderBoot;
            }

            return IsSeen(boots[i], kind, stamp.Sequence) ? MessageNovelty.Repetition : MessageNovelty.News;
        }

        return MessageNovelty.News;
    }

    /// <summary>True when a newer message of this kind and boot was taken before.</summary>
    public static bool IsOvertaken(ImmutableArray<BootSequences> boots, UpKind kind, MessageStamp stamp) =>
        !boots.IsEmpty && boots[^1].BootId == stamp.BootId && stamp.Sequence < kind switch
        {
            UpKind.Hello => boots[^1].Hello,
            UpKind.Report => boots[^1].Report,
            UpKind.Inventory => boots[^1].Inventory.Highest,
            UpKind.Result => boots[^1].Result.Highest,
            _ => throw NotDurable(kind),
        };

    /// <summary>The boots with this message of the newest or a new boot in them; the oldest boot gives way to a new one.</summary>
    public static ImmutableArray<BootSequences> Note(ImmutableArray<BootSequences> boots, UpKind kind, MessageStamp stamp)
    {
        if (!boots.IsEmpty && boots[^1].BootId == stamp.BootId)
        {
            return boots.SetItem(boots.Length - 1, With(boots[^1], kind, stamp.Sequence));
        }

        var noted = With(new BootSequences(stamp.BootId, 0, 0, default, default), kind, stamp.Sequence);
        return boots.Length < Device.BootsMax ? boots.Add(noted) : boots.RemoveAt(0).Add(noted);
    }

    private static bool IsSeen(BootSequences boot, UpKind kind, long sequence) => kind switch
    {
        UpKind.Hello => sequence <= boot.Hello,
        UpKind.Report => sequence <= boot.Report,
        UpKind.Inventory => boot.Inventory.Contains(sequence),
        UpKind.Result => boot.Result.Contains(sequence),
        _ => throw NotDurable(kind),
    };

    private static BootSequences With(BootSequences boot, UpKind kind, long sequence) => kind switch
    {
        UpKind.Hello => boot with { Hello = Math.Max(boot.Hello, sequence) },
        UpKind.Report => boot with { Report = Math.Max(boot.Report, sequence) },
        UpKind.Inventory => boot with { Inventory = boot.Inventory.With(sequence) },
        UpKind.Result => boot with { Result = boot.Result.With(sequence) },
        _ => throw NotDurable(kind),
    };

    private static UnreachableException NotDurable(UpKind kind) => new($"A message of kind {kind} has no stored sequence.");
}
