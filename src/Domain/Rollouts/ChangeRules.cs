using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What a rollout may offer: exactly one of an image and settings.</summary>
internal static class ChangeRules
{
    private const int DigestCharacters = 64;

    public static void Check(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        switch (spec.Kind)
        {
            case ChangeKind.OsImage:
                CheckImage(spec, problems);
                break;
            case ChangeKind.Settings:
                CheckSettings(spec, spec.Settings!, problems);
                break;
            default:
                throw new UnreachableException($"A rollout's change is of the kind {spec.Kind}.");
        }
    }

    private static void CheckImage(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.ImageDigest is not { Length: DigestCharacters } || !spec.ImageDigest.All(char.IsAsciiHexDigitLower))
        {
            problems.Add(new("image_digest", "is a SHA-256 in 64 lower-case hex digits; without an image there are settings"));
        }

        if (spec.TargetVersion is not { Length: > 0 and <= RolloutLimits.VersionCharactersMax })
        {
            problems.Add(new("target_version", $"has 1 to {RolloutLimits.VersionCharactersMax} characters"));
        }
    }

    private static void CheckSettings(RolloutSpec spec, SettingSet settings, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.ImageDigest.Length > 0)
        {
            problems.Add(new("settings", "are not offered together with an image: make two rollouts of them"));
        }

        if (settings.IsEmpty)
        {
            problems.Add(new("settings", "has at least one setting"));
        }

        if (spec.AllowTrackChange)
        {
            problems.Add(new("allow_track_change", "is for images: settings have no track"));
        }

        if (spec.FailureGate is { Action: FailureAction.RollBack })
        {
            problems.Add(new("failure_gate.action", "is to suspend or to abort: settings are not rolled back"));
        }

        problems.AddRange(SettingRules.Validate([.. settings]));
    }
}
