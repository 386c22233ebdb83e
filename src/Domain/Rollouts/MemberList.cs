namespace Muster.Domain.Rollouts;

/// <summary>What is kept of a few of many members.</summary>
internal interface IOfMember
{
    /// <summary>Its index in the order.</summary>
    int Member { get; }
}

/// <summary>Lists of what is kept of a few of many members, ascending by member, at most one entry each.</summary>
internal static class MemberList
{
    public static T? Find<T>(ImmutableArray<T> list, int member)
        where T : struct, IOfMember
    {
        var at = IndexOf(list, member);
        return at < 0 ? null : list[at];
    }

    public static ImmutableArray<T> With<T>(ImmutableArray<T> list, T entry)
        where T : struct, IOfMember
    {
        var at = IndexOf(list, entry.Member);
        return at >= 0 ? list.SetItem(at, entry) : list.IsDefault ? [entry] : list.Insert(~at, entry);
    }

    public static ImmutableArray<T> Without<T>(ImmutableArray<T> list, int member)
        where T : struct, IOfMember
    {
        var at = IndexOf(list, member);
        return at < 0 ? list : list.RemoveAt(at);
    }

    /// <summary>The complement of where it would be when it is absent. A list of an earlier version is none at all.</summary>
    private static int IndexOf<T>(ImmutableArray<T> list, int member)
        where T : struct, IOfMember
    {
        var (low, high) = (0, list.IsDefault ? -1 : list.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = list[middle].Member.CompareTo(member);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
