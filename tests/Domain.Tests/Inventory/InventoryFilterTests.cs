using CsCheck;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Inventory;

public sealed class InventoryFilterTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static readonly DeviceRow Row = new()
    {
        Tenant = TenantId.Default,
        Name = "B8A44F000001",
        State = DeviceState.InService,
        Model = "P3265-V",
        Site = "Lund, \"north\"",
        Track = "12.11",
        OsVersion = "12.11.77",
        ImageDigest = "",
        BootId = "b1",
        Compliance = ComplianceState.NonCompliant,
        Generation = 3,
        Rollout = "",
        StateChangedAt = Now.AddHours(-30),
        SecureBoot = true,
        CertificateNotAfter = Now.AddDays(20),
        Labels = [new DeviceLabel("env", "prod"), new DeviceLabel("floor", "3")],
        Settings = [new DeviceSetting("Network.SSH.Enabled", "no"), new DeviceSetting("a b", "1")],
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("state=IN_SERVICE", true)]
    [InlineData("state = InService", true)]
    [InlineData("state=EXPECTED", false)]
    [InlineData("state != EXPECTED AND model=P3265-V", true)]
    [InlineData("state != EXPECTED model=P3265-V", true)]
    [InlineData("model=p3265-v", false)]
    [InlineData("track = 12.11 AND os_version != 12.11.77", false)]
    [InlineData("""site = "Lund, \"north\"" """, true)]
    [InlineData("rollout = \"\"", true)]
    [InlineData("secure_boot=true", true)]
    public void Matches_OfEquality_ComparesByType(string text, bool expected) => Check(text, expected);

    [Theory]
    [InlineData("model=A OR model=P3265-V", true)]
    [InlineData("model=A OR model=P3265-V AND state=EXPECTED", false)]
    [InlineData("state=EXPECTED AND model=A OR model=P3265-V", false)]
    [InlineData("(state=EXPECTED AND model=A) OR model=P3265-V", true)]
    [InlineData("NOT state=EXPECTED", true)]
    [InlineData("-state=EXPECTED", true)]
    [InlineData("NOT (state=EXPECTED OR model=P3265-V)", false)]
    [InlineData("NOT(model=A)AND(model=P3265-V)", true)]
    public void Matches_OfJoinedComparisons_BindsOrMoreTightlyThanAnd(string text, bool expected) => Check(text, expected);

    [Theory]
    [InlineData("model=P32*", true)]
    [InlineData("model=*65*V", true)]
    [InlineData("model=*", true)]
    [InlineData("model=P32", false)]
    [InlineData("model=*66*", false)]
    [InlineData("model!=P32*", false)]
    [InlineData("os_version=12.11.*", true)]
    [InlineData("model:p3265", true)]
    [InlineData("model:q", false)]
    [InlineData("image_digest:*", false)]
    [InlineData("NOT image_digest:*", true)]
    public void Matches_OfPatternsAndParts_LooksIntoTheText(string text, bool expected) => Check(text, expected);

    [Theory]
    [InlineData("os_version < 12.11.100", true)]
    [InlineData("os_version < 12.9", false)]
    [InlineData("os_version >= 12.11.77.0", true)]
    [InlineData("os_version = 12.11.77.0", true)]
    [InlineData("os_floor < 99", false)]
    [InlineData("NOT os_floor < 99", true)]
    [InlineData("desired_generation > 2", true)]
    [InlineData("desired_generation <= 2", false)]
    [InlineData("state_changed_at < 2026-11-24", true)]
    [InlineData("state_changed_at > 2026-11-23T05:59:59Z", true)]
    [InlineData("state_changed_at > 2026-11-23T06:00:00Z", false)]
    [InlineData("state_changed_at < -24h", true)]
    [InlineData("state_changed_at < -1.5d", false)]
    [InlineData("certificate_not_after < 30d", true)]
    [InlineData("certificate_not_after < 480h", false)]
    [InlineData("created_at > 2020-01-01", false)]
    public void Matches_OfOrderedValues_ComparesByType(string text, bool expected) => Check(text, expected);

    [Theory]
    [InlineData("labels.env = prod AND labels.floor > 2", true)]
    [InlineData("labels:env", true)]
    [InlineData("labels:room", false)]
    [InlineData("labels.room = \"\"", true)]
    [InlineData("labels.room != x", true)]
    [InlineData("settings.Network.SSH.Enabled = no", true)]
    [InlineData("settings.\"a b\" = 1", true)]
    [InlineData("settings.\"Network.SSH.Enabled\":*", true)]
    public void Matches_OfMaps_TakesTheKey(string text, bool expected) => Check(text, expected);

    [Fact]
    public void Parse_OfAStateThatThereIsNot_NamesTheStates()
    {
        var (_, error) = InventoryFilter.Parse("state=FOO", InventoryFields.Device);

        Assert.Contains("IN_SERVICE", error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("colour=red", 1)]
    [InlineData("state", 6)]
    [InlineData("state=", 7)]
    [InlineData("model=A AND", 12)]
    [InlineData("model=A OR", 11)]
    [InlineData("state=FOO", 7)]
    [InlineData("state<EXPECTED", 7)]
    [InlineData("model=A AND compliance=SOMEWHAT", 24)]
    [InlineData("connected=maybe", 11)]
    [InlineData("site=\"Lund", 6)]
    [InlineData("(model=A", 9)]
    [InlineData("model=A)", 8)]
    [InlineData("()", 2)]
    [InlineData("model.x=A", 1)]
    [InlineData("labels=A", 8)]
    [InlineData("os_version<new", 12)]
    [InlineData("created_at>yesterday", 12)]
    [InlineData("created_at>2026-13-01", 12)]
    [InlineData("installs=many", 10)]
    [InlineData("uptime>3", 8)]
    [InlineData("NOT", 4)]
    [InlineData("model=A \u0007", 9)]
    public void Parse_OfWhatIsNotAFilter_NamesTheColumn(string text, int column)
    {
        var (_, error) = InventoryFilter.Parse(text, InventoryFields.Device);

        Assert.Equal("FILTER_INVALID", error?.Reason);
        Assert.Equal($"{column}", Assert.Single(error!.Metadata, detail => detail.Key == "column").Value);
    }

    [Fact]
    public void Parse_OfTooMuch_IsRefused()
    {
        var tooLong = new string('x', 10_000);
        var tooMany = string.Join(" AND ", Enumerable.Repeat("name=A", InventoryFilter.TestsMax + 1));
        var tooDeep = new string('(', 200) + "name=A" + new string(')', 200);

        Assert.All([tooLong, tooMany, tooDeep], text => Assert.NotNull(InventoryFilter.Parse(text, InventoryFields.Device).Error));
    }

    [Fact]
    public void Parse_OfAnyText_EndsWithAFilterOrAColumn() => Gen.String[Gen.Char["()=<>!:*\"\\ -.aANDORT019é\n"], 0, 60].Sample(text =>
    {
        var (_, error) = InventoryFilter.Parse(text, InventoryFields.Device);
        return error is null || error.Reason == "FILTER_INVALID";
    });

    [Fact]
    public void Matches_OfAPatternOfManyStars_IsNotExponential()
    {
        var (filter, _) = InventoryFilter.Parse($"model=\"{string.Concat(Enumerable.Repeat("*a", 40))}b\"", InventoryFields.Device);

        Assert.False(filter.Matches(Row with { Model = new string('a', 5_000) }, Now));
    }

    [Fact]
    public void Field_OfEveryDeviceField_IsKnownToTheRow()
    {
        var whole = Row with
        {
            OsFloor = "1", ImageDigest = "d", Rollout = "r", LastRollout = "l", CertificateSha256 = "c",
            Findings = "OS_BELOW_FLOOR", Alarms = "TAMPERING", AlarmAt = Now,
        };
        var keys = new Dictionary<string, string> { ["labels"] = "env", ["settings"] = "a b" };

        Assert.All(
            InventoryFields.Device.Where(field => !InventoryFields.IsPresence(field.Name)),
            field => Assert.False(whole.Field(field.Name, keys.GetValueOrDefault(field.Name, "")).IsNone, field.Name));
    }

    private static void Check(string text, bool expected)
    {
        var (filter, error) = InventoryFilter.Parse(text, InventoryFields.Device);

        Assert.Null(error);
        Assert.Equal(expected, filter.Matches(Row, Now));
    }

    [Theory]
    [InlineData("site:lund", "site")]
    [InlineData("created_at > 2026-01-01 AND os_version > 12", "os_version")]
    [InlineData("created_at > 2026-01-01", "created_at")]
    [InlineData("NOT (installs < 2 OR connected = true)", "installs")]
    [InlineData("(site = a OR site = b) AND connected = true", "site")]
    [InlineData("NOT (site = a AND NOT site = b)", "site")]
    [InlineData("labels.floor > 2", "labels.floor")]
    [InlineData("site = a OR model = b", null)]
    [InlineData("connected = true", null)]
    [InlineData("last_seen_at > -1h", null)]
    [InlineData("created_at > -1h", null)]
    [InlineData("", null)]
    public void FindGuard_OfAFilter_IsAPartOfOneFieldThatHasToHold(string text, string? field)
    {
        var (filter, error) = InventoryFilter.Parse(text, InventoryFields.Device);

        Assert.Null(error);
        Assert.Equal(field, filter.FindGuard()?.Path.ToString());
    }
}
