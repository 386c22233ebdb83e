using System.Collections.Immutable;
using Muster.Domain.Deliveries;
using Muster.Domain.Devices;
using Muster.Domain.Warranty;

namespace Muster.Domain.Tests.Deliveries;

public sealed class DeliveryLinesTests
{
    private static readonly ResourceId Delivery = ResourceId.TryParse("order-4711", out var id) ? id : throw new FormatException();

    [Fact]
    public void Read_WithAllValues_SaysWhatIsExpected()
    {
        var line = Line(
            (DeliveryColumn.Serial, "b8:a4:4f:00:00:01"), (DeliveryColumn.Model, "P3265-V"), (DeliveryColumn.Order, "4711"),
            (DeliveryColumn.Site, "Lund, hall 2"), (DeliveryColumn.WarrantyStart, "2026-02-28"), (DeliveryColumn.WarrantyMonths, "36"),
            (DeliveryColumn.CertificateSha256, Colons('A')), (DeliveryColumn.Track, "12.11"), (DeliveryColumn.OsFloor, "11.0"),
            (DeliveryColumn.Approval, "Manual"), (DeliveryColumn.Profile, "axis"));

        var (device, problems) = DeliveryLines.Read(line, Delivery);

        Assert.Empty(problems);
        Assert.Equal("B8A44F000001", device!.Device.Value);
        Assert.Equal(
            new ExpectedDevice("P3265-V", "12.11", "Lund, hall 2", "11.0", EnrollmentApproval.Manual)
            {
                Order = "4711",
                Delivery = "order-4711",
            },
            device.Spec);
        Assert.Equal(new WarrantyTerm(new DateOnly(2026, 2, 28), 36), device.Warranty);
        Assert.Equal(new string('a', 64), device.CertificateSha256);
    }

    [Fact]
    public void Read_WithWhatIsRequiredOnly_ExpectsAnyCertificateAndNoWarranty()
    {
        var (device, problems) = DeliveryLines.Read(
            Line((DeliveryColumn.Serial, "B8A44F000001"), (DeliveryColumn.Model, "P3265-V")), Delivery);

        Assert.Empty(problems);
        Assert.Equal(
            new ExpectedDevice("P3265-V", "active", "", "", EnrollmentApproval.Automatic) { Delivery = "order-4711" }, device!.Spec);
        Assert.Equal(WarrantyTerm.None, device.Warranty);
        Assert.Null(device.CertificateSha256);
    }

    [Fact]
    public void Read_WithManyProblems_SaysAllOfThem()
    {
        var line = Line(
            (DeliveryColumn.Profile, "bosch"), (DeliveryColumn.Order, new string('4', 101)), (DeliveryColumn.Site, "hall \u001b[2J"),
            (DeliveryColumn.WarrantyStart, "28.02.2026"), (DeliveryColumn.WarrantyMonths, "241"),
            (DeliveryColumn.CertificateSha256, "aa:bb"), (DeliveryColumn.Track, "newest"), (DeliveryColumn.OsFloor, "eleven"),
            (DeliveryColumn.Approval, "yes"));

        var (device, problems) = DeliveryLines.Read(line, Delivery);

        Assert.Null(device);
        Assert.Equal(
            [
                "profile", "order", "site", "warranty_start", "warranty_months", "certificate_sha256", "track", "os_floor", "approval",
                "serial", "model",
            ],
            problems.Select(problem => problem.Field));
        Assert.All(problems, problem => Assert.NotEmpty(problem.Rule));
    }

    [Theory]
    [InlineData("2026-01-01", "", "warranty_months")]
    [InlineData("", "36", "warranty_start")]
    [InlineData("2026-02-30", "36", "warranty_start")]
    [InlineData("0026-01-01", "36", "warranty_start")]
    [InlineData("2026-01-01", "-1", "warranty_months")]
    [InlineData("2026-01-01", "36 ", "warranty_months")]
    public void Read_WithAWarrantyThatIsNone_IsRefused(string start, string months, string field)
    {
        var (_, problems) = DeliveryLines.Read(
            Line(
                (DeliveryColumn.Serial, "B8A44F000001"), (DeliveryColumn.Model, "P3265-V"), (DeliveryColumn.WarrantyStart, start),
                (DeliveryColumn.WarrantyMonths, months)),
            Delivery);

        Assert.Equal(field, Assert.Single(problems).Field);
    }

    [Theory]
    [InlineData("B8A44F000001", "", "B8A44F000001")]
    [InlineData("b8-a4-4f-00-00-0a", "", "B8A44F00000A")]
    [InlineData("accc8e00000f", "AXIS", "ACCC8E00000F")]
    [InlineData("SN-1234", "", "SN-1234")]
    [InlineData("ab 12", "ieee8021ar", "%61%62%2012")]
    public void ReadSerial_OfAProfile_GivesTheCanonicalForm(string serial, string profile, string expected)
    {
        Assert.Null(DeliveryLines.ReadSerial(serial, profile, out var device));
        Assert.Equal(expected, device.Value);
    }

    [Theory]
    [InlineData("B8A44F00001", "axis")]
    [InlineData("001122334455", "axis")]
    [InlineData("b8a44f000001", "ieee8021ar")]
    [InlineData("öööööööööööööööööööööö", "")]
    public void ReadSerial_ThatItsProfileMayNotSpeakFor_IsRefused(string serial, string profile)
    {
        Assert.NotNull(DeliveryLines.ReadSerial(serial, profile, out var device));
        Assert.Equal(default, device);
    }

    [Fact]
    public void Of_WithDefaults_FillsWhatIsEmpty()
    {
        var defaults = DeliveryLine.Empty.With(DeliveryColumn.Model, "P3265-V").With(DeliveryColumn.Track, "12.11");

        var line = DeliveryLine.Of([DeliveryColumn.Serial, DeliveryColumn.Model, DeliveryColumn.Track], ["A", "", "active"], defaults);

        Assert.Equal(
            ("A", "P3265-V", "active", ""),
            (line[DeliveryColumn.Serial], line[DeliveryColumn.Model], line[DeliveryColumn.Track], line[DeliveryColumn.Site]));
        Assert.Equal("", defaults[DeliveryColumn.Serial]);
    }

    [Fact]
    public void Names_OfAllColumns_AreReadAgain()
    {
        Assert.Equal(Enum.GetValues<DeliveryColumn>().Length, DeliveryColumns.Names.Length);
        Assert.All(Enum.GetValues<DeliveryColumn>(), column =>
        {
            var name = DeliveryColumns.NameOf(column);
            Assert.True(DeliveryColumns.TryParse(name, out var read));
            Assert.Equal(column, read);
            Assert.Equal(column.ToString(), name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        });
        Assert.False(DeliveryColumns.TryParse("seriel", out _));
    }

    private static DeliveryLine Line(params ImmutableArray<(DeliveryColumn Column, string Value)> values) =>
        values.Aggregate(DeliveryLine.Empty, (line, value) => line.With(value.Column, value.Value));

    private static string Colons(char digit) => string.Join(':', Enumerable.Repeat(new string(digit, 2), 32));
}
