using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Deliveries;

/// <summary>The refusals of deliveries; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class DeliveryErrors
{
    public static FleetError NotFound(ResourceId delivery) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no delivery '{delivery}'.", ("delivery", delivery.Value));

    public static FleetError IdTooLong(ResourceId delivery) => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        string.Create(CultureInfo.InvariantCulture, $"The id of a delivery has at most {DeliveryRules.IdLengthMax} characters."),
        ("delivery_id", delivery.Value));

    /// <summary>Its devices are there; whoever began after it says how many.</summary>
    public static FleetError Overtaken(ResourceId delivery) => FleetError.Of(
        ErrorKind.Conflict,
        "DELIVERY_OVERTAKEN",
        $"Another import of the delivery '{delivery}' began meanwhile.",
        ("delivery", delivery.Value));

    /// <summary>The list as a whole, or all of it from a line on.</summary>
    public static FleetError ListInvalid(int line, string cause) => FleetError.Of(
        ErrorKind.Invalid,
        "DELIVERY_LIST_INVALID",
        string.Create(CultureInfo.InvariantCulture, $"The list cannot be read from line {line} on: {cause}."),
        ("line", line.ToString(CultureInfo.InvariantCulture)),
        ("cause", cause));

    public static FleetError TooManyLines(int lines) => FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(CultureInfo.InvariantCulture, $"A list has at most {lines} devices; those before are taken. Divide it."),
        ("limit", lines.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A list is no way to change a device that is known: nobody would see what it overwrites.</summary>
    public static FleetError LineChanged(DeviceId device, ResourceId delivery) => FleetError.Of(
        ErrorKind.AlreadyExists,
        "DELIVERY_LINE_CHANGED",
        $"The delivery '{delivery}' brought device '{device}' already, and its line said something else then.",
        ("device", device.Value),
        ("delivery", delivery.Value));
}
