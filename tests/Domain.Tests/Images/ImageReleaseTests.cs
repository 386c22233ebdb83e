using System.Collections.Immutable;
using Muster.Domain.Images;
using Muster.Domain.Inventory;

namespace Muster.Domain.Tests.Images;

public sealed class ImageReleaseTests
{
    private static readonly ImageRelease Full = new()
    {
        ReleasedOn = new DateOnly(2026, 9, 1),
        Notes = "Fixes what the audit found.",
        FixedVulnerabilities = ["CVE-2025-9524", "CVE-2026-12345"],
        Conditions = new ImageConditions { MinFromVersion = "8.40", Steps = ["10.12.300", "11.11"], SecurityFloor = "12.11.60" },
        Sbom = "https://example.com/12.11.80.spdx.json",
        SupportedFrom = new DateOnly(2026, 4, 1),
        SupportedUntil = new DateOnly(2031, 12, 31),
    };

    [Fact]
    public void Check_AllThatCanBeStated_IsTaken() => Assert.Null(Check(Full));

    [Fact]
    public void Check_NothingStated_IsTaken() => Assert.Null(Check(ImageRelease.None));

    public static TheoryData<string, ImageRelease> Faults() => new()
    {
        { "notes", Full with { Notes = new string('n', ImageRelease.NotesCharactersMax + 1) } },
        { "fixed_vulnerabilities", Full with { FixedVulnerabilities = ["cve-2025-9524"] } },
        { "fixed_vulnerabilities", Full with { FixedVulnerabilities = ["CVE-2025-952"] } },
        { "fixed_vulnerabilities", Full with { FixedVulnerabilities = ["CVE-2025-9524\n"] } },
        { "fixed_vulnerabilities", Full with { FixedVulnerabilities = ["CVE-2025-9524", "CVE-2025-9524"] } },
        { "fixed_vulnerabilities", Full with { FixedVulnerabilities = Many(ImageRelease.FixedVulnerabilitiesMax + 1) } },
        { "sbom", Full with { Sbom = "http://example.com/sbom" } },
        { "sbom", Full with { Sbom = "sha256:abc" } },
        { "sbom", Full with { Sbom = "https://" + new string('a', ImageRelease.SbomCharactersMax) } },
        { "supported_until", Full with { SupportedUntil = new DateOnly(2026, 3, 31) } },
        { "min_from_version", Full with { Conditions = new ImageConditions { MinFromVersion = "12.11.81" } } },
        { "min_from_version", Full with { Conditions = new ImageConditions { MinFromVersion = "old" } } },
        { "security_floor", Full with { Conditions = new ImageConditions { SecurityFloor = "13.0" } } },
        { "required_steps", Full with { Conditions = new ImageConditions { Steps = ["11.11", "10.12"] } } },
        { "required_steps", Full with { Conditions = new ImageConditions { Steps = ["11.11", "11.11.0"] } } },
        { "required_steps", Full with { Conditions = new ImageConditions { Steps = ["12.11.80"] } } },
        { "required_steps", Full with { Conditions = new ImageConditions { Steps = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] } } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Check_WhatMakesNoSense_IsRefusedByField(string field, ImageRelease release)
    {
        var error = Check(release);

        Assert.Equal("REQUEST_INVALID", error?.Reason);
        Assert.Contains(error!.Metadata, entry => entry.Key == "field" && entry.Value == field);
    }

    [Fact]
    public void Check_SupportWindowOfTheActiveTrack_IsRefused() =>
        Assert.Equal("REQUEST_INVALID", ImageReleaseRules.Check(Full, Version("12.11.80"), ImageTrack.Active)?.Reason);

    [Theory]
    [InlineData("8.39", ImageConditions.BelowMinimum)]
    [InlineData("snapshot", ImageConditions.BelowMinimum)]
    [InlineData("", ImageConditions.BelowMinimum)]
    [InlineData("8.40", ImageConditions.StepRequired)]
    [InlineData("10.12.300", ImageConditions.StepRequired)]
    [InlineData("11.11", null)]
    [InlineData("12.11.79", null)]
    [InlineData("13.0", null)]
    public void FindObstacle_MinimumAndStepsDecide(string running, string? reason) =>
        Assert.Equal(reason, Full.Conditions.FindObstacle(running));

    [Theory]
    [InlineData("8.40", 0)]
    [InlineData("snapshot", 0)]
    [InlineData("13.0", 2)]
    public void StepsPassed_CountsThoseNotAboveTheVersion(string running, int passed) => Assert.Equal(
        passed, new ImageConditions { Steps = ["10.12", "11.11"] }.StepsPassed(running));

    [Theory]
    [InlineData("", "12.11", "12.11")]
    [InlineData("11.0", "12.11", "12.11")]
    [InlineData("12.11", "11.0", "12.11")]
    [InlineData("12.11", "", "12.11")]
    [InlineData("12.11", null, "12.11")]
    public void RaiseFloor_GivesTheHigher(string floor, string? other, string raised) =>
        Assert.Equal(raised, ImageConditions.RaiseFloor(floor, other));

    [Fact]
    public void ImageRow_OfAVulnerability_IsFoundByExactlyThat()
    {
        var row = Row();
        bool Finds(string filter) => InventoryFilter.Parse(filter, InventoryFields.Image) is { Error: null } parsed
            && parsed.Filter.Matches(row, DateTimeOffset.UnixEpoch);

        Assert.True(Finds("fixed_vulnerabilities:CVE-2026-12345"));
        Assert.False(Finds("fixed_vulnerabilities:CVE-2026-1234"));
        Assert.True(Finds("security_floor >= 12.11 AND min_from_version = 8.40 AND released_on < 2026-09-02T00:00:00Z"));
        Assert.False(Finds("supported_until < 2031-12-31T00:00:00Z"));
    }

    private static ImageRow Row() => new()
    {
        Tenant = TenantId.Default,
        Name = new string('a', 64),
        Manifest = new ImageManifest("12.11.80", Line(), ["P3265-V"], 1) { Stated = Full },
        Signer = new ImageSigner("CN=Publisher", new string('c', 64)),
        CreatedAt = default,
    };

    private static FleetError? Check(ImageRelease release) => ImageReleaseRules.Check(release, Version("12.11.80"), Line());

    private static ImmutableArray<string> Many(int count) => [.. Enumerable.Range(10_000, count).Select(number => $"CVE-2026-{number}")];

    private static ImageTrack Line() => ImageTrack.TryParse("12.11", out var track) ? track : throw new FormatException();

    private static OsVersion Version(string text) => OsVersion.TryParse(text, out var version) ? version : throw new FormatException(text);
}
