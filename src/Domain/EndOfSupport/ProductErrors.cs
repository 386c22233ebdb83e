using System.Globalization;

namespace Muster.Domain.EndOfSupport;

/// <summary>The refusals of products; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class ProductErrors
{
    public static FleetError NotFound(string product) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no product '{product}'.", ("product", product));

    public static FleetError Exists(ProductId product) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is a product '{product}'.", ("product", product.Value));

    public static FleetError ReplacementTooLong() => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        string.Create(CultureInfo.InvariantCulture, $"A replacement has at most {ProductSpec.ReplacementLengthMax} characters."),
        ("replacement", ProductSpec.ReplacementLengthMax.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Discontinuation comes first; support ends at it or later.</summary>
    public static FleetError DatesInWrongOrder(string field) => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        $"Support cannot end before the product is discontinued: '{field}' is before 'discontinued_at'.",
        ("field", field));

    /// <summary>The dates that the calendar arithmetic can carry.</summary>
    public static FleetError DateOutOfRange(string field) => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        $"The date '{field}' is outside the years {ProductRules.YearMin} to {ProductRules.YearMax}.",
        ("field", field));
}
