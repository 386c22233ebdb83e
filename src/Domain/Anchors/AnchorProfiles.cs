using Muster.Domain.Identity;

namespace Muster.Domain.Anchors;

/// <summary>The profiles by the names that identities carry, and which anchor speaks for a serial.</summary>
public static class AnchorProfiles
{
    public const string Axis = "axis";

    public const string Ieee8021Ar = "ieee8021ar";

    /// <summary>Characters of an Axis serial that say whose it is: the block that IEEE assigned.</summary>
    private const int BlockLength = 6;

    public static string NameOf(AnchorProfile profile) => profile switch
    {
        AnchorProfile.Axis => Axis,
        AnchorProfile.Ieee8021Ar => Ieee8021Ar,
        AnchorProfile.Unspecified => throw new UnreachableException("An anchor has a profile."),
        _ => throw new UnreachableException($"Unknown profile {profile}."),
    };

    /// <summary>
    /// Which of the anchors' prefixes speaks for a serial of the profile <c>ieee8021ar</c>: the longest that the serial begins with. So
    /// there is at most one, whatever is added beside it.
    /// </summary>
    /// <returns>The index into <paramref name="specs"/>, or -1 when none does.</returns>
    public static int FindSpeaker(ImmutableArray<AnchorSpec> specs, string serial)
    {
        ArgumentNullException.ThrowIfNull(serial);
        var (found, longest) = (-1, -1);
        for (var i = 0; i < specs.Length; i++)
        {
            if (specs[i].Profile != AnchorProfile.Ieee8021Ar)
            {
                continue;
            }

            foreach (var prefix in PrefixesOf(specs[i]))
            {
                if (prefix.Length > longest && serial.StartsWith(prefix, StringComparison.Ordinal))
                {
                    (found, longest) = (i, prefix.Length);
                }
            }
        }

        return found;
    }

    /// <summary>True for a prefix under which serials of Axis fall, whatever follows.</summary>
    internal static bool IsOfAxis(string prefix) =>
        prefix.Length >= BlockLength && AxisSerial.Is(prefix[..BlockLength].ToUpperInvariant() + "000000");

    /// <summary>None stated is the empty one: every serial begins with it.</summary>
    internal static IEnumerable<string> PrefixesOf(AnchorSpec spec) => spec.SerialPrefixes.IsEmpty ? [""] : spec.SerialPrefixes;
}
