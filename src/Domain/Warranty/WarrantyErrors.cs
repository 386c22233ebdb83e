using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Warranty;

/// <summary>The refusals of warranties; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class WarrantyErrors
{
    public static FleetError MonthsOutOfRange(int months) => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        string.Create(CultureInfo.InvariantCulture, $"A warranty has 0 to {WarrantyTerm.MonthsMax} months, not {months}."),
        ("term_months", months.ToString(CultureInfo.InvariantCulture)));

    public static FleetError StartOutOfRange(DateOnly startsOn) => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        string.Create(
            CultureInfo.InvariantCulture,
            $"A warranty starts from {WarrantyTerm.StartMin:O} to {WarrantyTerm.StartMax:O}, not on {startsOn:O}."),
        ("starts_on", startsOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));

    public static FleetError ReviewNotOpen(DeviceId device, WarrantyReviewState review) => FleetError.Of(
        ErrorKind.Precondition,
        "WARRANTY_REVIEW_NOT_OPEN",
        $"Device '{device}' has no open warranty review; its review is {review}.",
        ("device", device.Value),
        ("review", review.ToString()));
}
