using System.Globalization;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Warranty;

namespace Muster.Domain.Deliveries;

/// <summary>Reads what a line says. All that is wrong with it is said at once.</summary>
public static class DeliveryLines
{
    private const string Axis = "axis";
    private const string Ieee8021Ar = "ieee8021ar";
    private const string DayFormat = "yyyy-MM-dd";
    private const int Sha256Digits = 64;

    /// <summary>The device that a line of the delivery names, or what is wrong with the line.</summary>
    public static (DeliveredDevice? Device, ImmutableArray<LineProblem> Problems) Read(DeliveryLine line, ResourceId delivery)
    {
        var problems = ImmutableArray.CreateBuilder<LineProblem>();
        foreach (var column in Enum.GetValues<DeliveryColumn>())
        {
            Require(CheckValue(column, line[column]), column, problems);
        }

        if (line[DeliveryColumn.Serial].Length == 0)
        {
            Require("is required", DeliveryColumn.Serial, problems);
        }

        if (line[DeliveryColumn.Model].Length == 0)
        {
            Require("is required", DeliveryColumn.Model, problems);
        }

        var device = default(DeviceId);
        if (problems.Count == 0)
        {
            Require(ReadSerial(line[DeliveryColumn.Serial], line[DeliveryColumn.Profile], out device), DeliveryColumn.Serial, problems);
        }

        var term = problems.Count == 0 ? ReadTerm(line, problems) : default;
        var certificate = ReadSha256(line[DeliveryColumn.CertificateSha256]);
        return problems.Count == 0
            ? (new DeliveredDevice(device, SpecOf(line, delivery), term, NullIfEmpty(certificate)), [])
            : (null, problems.ToImmutable());
    }

    /// <summary>What is wrong with a value by itself; null for nothing. Empty is never wrong here.</summary>
    public static string? CheckValue(DeliveryColumn column, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Length == 0)
        {
            return null;
        }

        // What stands in a list is shown in terminals, where control characters are commands; U+FFFD stands for bytes that are no text.
        if (value.Any(char.IsControl) || value.Contains('\uFFFD', StringComparison.Ordinal))
        {
            return "text in UTF-8 without control characters";
        }

        return column switch
        {
            DeliveryColumn.Serial => AtMost(value, DeviceId.LengthMax),
            DeliveryColumn.Profile => Fold(value) is Axis or Ieee8021Ar ? null : $"'{Axis}' or '{Ieee8021Ar}'",
            DeliveryColumn.Model => AtMost(value, DeviceLifecycle.ModelLengthMax),
            DeliveryColumn.Order => AtMost(value, ExpectedDevice.OrderLengthMax),
            DeliveryColumn.Site => AtMost(value, DeviceLifecycle.SiteLengthMax),
            DeliveryColumn.WarrantyStart => CheckDay(value),
            DeliveryColumn.WarrantyMonths => ReadMonths(value) is null ? $"0 to {WarrantyTerm.MonthsMax} months" : null,
            DeliveryColumn.CertificateSha256 => ReadSha256(value).Length == Sha256Digits ? null : "64 hex digits, colons between or not",
            DeliveryColumn.Track => ImageTrack.TryParse(value, out _) ? null : "'active' or a long-term-support line such as '12.11'",
            DeliveryColumn.OsFloor => OsVersion.TryParse(value, out _) ? null : "an OS version",
            DeliveryColumn.Approval => Fold(value) is "automatic" or "manual" ? null : "'automatic' or 'manual'",
            _ => throw new UnreachableException($"Unknown column {column}."),
        };
    }

    /// <summary>The id of a serial as people write it; what is wrong with it, or null.</summary>
    public static string? ReadSerial(string serial, string profile, out DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(serial);
        ArgumentNullException.ThrowIfNull(profile);
        var plain = string.Concat(serial.Where(letter => letter is not (':' or '-' or '.' or ' '))).ToUpperInvariant();
        var isAxis = AxisSerial.Is(plain);
        if (isAxis ? Fold(profile) is not Ieee8021Ar : Fold(profile) is not Axis)
        {
            return DeviceId.TryFromSerial(isAxis ? plain : serial, out device)
                ? null
                : $"at most {DeviceId.LengthMax} characters, each byte but A-Z, 0-9, '.', '_' and '-' counting three times";
        }

        device = default;
        return isAxis
            ? $"not the MAC address of an Axis device: '{Ieee8021Ar}' may not speak for those"
            : "the MAC address of an Axis device: 12 hex digits of its blocks";
    }

    private static ExpectedDevice SpecOf(DeliveryLine line, ResourceId delivery) => new(
        line[DeliveryColumn.Model],
        line[DeliveryColumn.Track] is { Length: > 0 } track ? track : ImageTrack.Active.Value,
        line[DeliveryColumn.Site],
        line[DeliveryColumn.OsFloor],
        Fold(line[DeliveryColumn.Approval]) == "manual" ? EnrollmentApproval.Manual : EnrollmentApproval.Automatic)
    {
        Order = NullIfEmpty(line[DeliveryColumn.Order]),
        Delivery = delivery.Value,
    };

    /// <summary>Both or none: a start without a term covers nothing, and nobody meant that.</summary>
    private static WarrantyTerm ReadTerm(DeliveryLine line, ImmutableArray<LineProblem>.Builder problems)
    {
        var (start, months) = (line[DeliveryColumn.WarrantyStart], ReadMonths(line[DeliveryColumn.WarrantyMonths]));
        switch (start.Length > 0, months)
        {
            case (true, null):
                Require("is required with a start; 0 for no cover", DeliveryColumn.WarrantyMonths, problems);
                return default;
            case (false, > 0):
                Require("is required with a term", DeliveryColumn.WarrantyStart, problems);
                return default;
            case (true, { } term):
                return new WarrantyTerm(ReadDay(start)!.Value, term);
            default:
                return WarrantyTerm.None;
        }
    }

    private static string? CheckDay(string text) =>
        ReadDay(text) is { } day && day >= WarrantyTerm.StartMin && day <= WarrantyTerm.StartMax
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"a date of the form YYYY-MM-DD, from {WarrantyTerm.StartMin:O} to {WarrantyTerm.StartMax:O}");

    private static DateOnly? ReadDay(string text) =>
        DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private static int? ReadMonths(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var months) && months <= WarrantyTerm.MonthsMax
            ? months
            : null;

    /// <summary>As people copy it from certificate viewers; empty when a character has no place there.</summary>
    private static string ReadSha256(string text)
    {
        var digits = text.Replace(":", "", StringComparison.Ordinal);
        return digits.All(char.IsAsciiHexDigit) ? digits.ToLowerInvariant() : "";
    }

    private static string? AtMost(string value, int length) => value.Length <= length ? null : $"at most {length} characters";

    private static string Fold(string value) => value.ToLowerInvariant();

    private static string? NullIfEmpty(string value) => value.Length == 0 ? null : value;

    private static void Require(string? rule, DeliveryColumn column, ImmutableArray<LineProblem>.Builder problems)
    {
        if (rule is not null)
        {
            problems.Add(new LineProblem(DeliveryColumns.NameOf(column), rule));
        }
    }
}
