namespace Muster.Domain.Images;

/// <summary>What a publisher states of a release beside what its bytes are. Everything may be left out.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-release")]
public sealed record ImageRelease
{
    /// <summary>The release notes of a camera's OS have some hundred words; longer ones belong behind a link in them.</summary>
    public const int NotesCharactersMax = 4096;

    /// <summary>A release that gathers two years of fixes of a whole Linux system lists fewer.</summary>
    public const int FixedVulnerabilitiesMax = 256;

    /// <summary>As long as browsers and proxies take an address.</summary>
    public const int SbomCharactersMax = 2048;

    /// <summary>Nothing is stated.</summary>
    public static ImageRelease None { get; } = new();

    /// <summary>The day of the release.</summary>
    [Id(0)] public DateOnly? ReleasedOn { get; init; }

    /// <summary>For people.</summary>
    [Id(1)] public string Notes { get; init; } = "";

    /// <summary>What it fixes, by CVE id, each once, ordered by ordinal.</summary>
    [Id(2)] public ImmutableArray<string> FixedVulnerabilities { get; init; } = [];

    /// <summary>What it asks of a device before and after.</summary>
    [Id(3)] public ImageConditions Conditions { get; init; } = ImageConditions.None;

    /// <summary>Where its bill of materials is: an https address, or <c>sha256:</c> and its digest. Empty for none.</summary>
    [Id(4)] public string Sbom { get; init; } = "";

    /// <summary>The first day on which its long-term-support line is supported.</summary>
    [Id(5)] public DateOnly? SupportedFrom { get; init; }

    /// <summary>The last such day.</summary>
    [Id(6)] public DateOnly? SupportedUntil { get; init; }

    public bool Equals(ImageRelease? other) =>
        other is not null
        && (ReleasedOn, Notes, Conditions, Sbom) == (other.ReleasedOn, other.Notes, other.Conditions, other.Sbom)
        && (SupportedFrom, SupportedUntil) == (other.SupportedFrom, other.SupportedUntil)
        && FixedVulnerabilities.AsSpan().SequenceEqual(other.FixedVulnerabilities.AsSpan());

    public override int GetHashCode() => HashCode.Combine(ReleasedOn, Notes, Conditions, Sbom, FixedVulnerabilities.Length);
}

/// <summary>What an image asks of the device that it is offered to, and where it may not go back to afterwards.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-conditions")]
public sealed record ImageConditions
{
    /// <summary>A path of more than one or two steps has not been seen; the rest is room.</summary>
    public const int StepsMax = 8;

    /// <summary>The device runs an older version than the image can be installed over, or one that nobody can read.</summary>
    public const string BelowMinimum = "OS_BELOW_MINIMUM";

    /// <summary>The device has to run another version first.</summary>
    public const string StepRequired = "STEP_REQUIRED";

    /// <summary>Any device may have it, and may go back.</summary>
    public static ImageConditions None { get; } = new();

    /// <summary>The lowest version that it can be installed over; empty for any.</summary>
    [Id(0)] public string MinFromVersion { get; init; } = "";

    /// <summary>Versions that a device below them has to run first, ascending.</summary>
    [Id(1)] public ImmutableArray<string> Steps { get; init; } = [];

    /// <summary>A device that ran it never goes below this version again; empty when it may.</summary>
    [Id(2)] public string SecurityFloor { get; init; } = "";

    /// <summary>Why a device that runs this version cannot be offered the image; null when it can.</summary>
    public string? FindObstacle(string version)
    {
        if (MinFromVersion.Length == 0 && Steps.IsEmpty)
        {
            return null;
        }

        if (!OsVersion.TryParse(version, out var running)
            || (OsVersion.TryParse(MinFromVersion, out var lowest) && running < lowest))
        {
            return BelowMinimum;
        }

        return StepsPassed(version) < Steps.Length ? StepRequired : null;
    }

    /// <summary>Whether the image can be for the device once it runs another version.</summary>
    public static bool MayStepsHelp(string reason) => reason is StepRequired or BelowMinimum;

    /// <summary>
    /// How many of the steps a device that runs this version has behind it, none when nobody can read it. Who runs a step, or a version
    /// after it, has passed it: how he got there is not on record.
    /// </summary>
    public int StepsPassed(string version) => OsVersion.TryParse(version, out var running)
        ? Steps.TakeWhile(step => !OsVersion.TryParse(step, out var required) || running >= required).Count()
        : 0;

    /// <summary>The higher of a device's floor and this one's; a floor never falls.</summary>
    public static string RaiseFloor(string floor, string? other) =>
        OsVersion.TryParse(other, out var next) && (!OsVersion.TryParse(floor, out var now) || next > now) ? other : floor;

    public bool Equals(ImageConditions? other) =>
        other is not null
        && (MinFromVersion, SecurityFloor) == (other.MinFromVersion, other.SecurityFloor)
        && Steps.AsSpan().SequenceEqual(other.Steps.AsSpan());

    public override int GetHashCode() => HashCode.Combine(MinFromVersion, SecurityFloor, Steps.Length);
}
