using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Gateway.Devices;

/// <summary>Refusals that the edge makes itself, before anything reaches a device's record.</summary>
internal static class DeviceMessageErrors
{
    public static FleetError PayloadInvalid(string problem) =>
        FleetError.Of(ErrorKind.Invalid, "PAYLOAD_INVALID", $"The payload is not a message of this topic: {problem}", ("problem", problem));

    public static FleetError PayloadTooLarge(int limit) =>
        FleetError.Of(ErrorKind.Invalid, "PAYLOAD_TOO_LARGE", $"The packet is larger than {limit} bytes.", ("limit", Text(limit)));

    public static FleetError TopicNotAllowed(DeviceId device) =>
        FleetError.Of(ErrorKind.Denied, "TOPIC_NOT_ALLOWED", $"Device {device} may use its own topics only.", ("device", device.Value));

    public static FleetError ClientIdNotAllowed(DeviceId device) =>
        FleetError.Of(
            ErrorKind.Denied,
            "CLIENT_ID_NOT_ALLOWED",
            $"The client id has to be {device} or {device}/suffix, as the certificate says.",
            ("device", device.Value));

    public static FleetError LimitReached(string limit, int value) =>
        FleetError.Of(
            ErrorKind.Exhausted, "LIMIT_REACHED", $"The limit of {value} {limit} is reached.", ("limit", Text(value)), ("of", limit));

    public static FleetError Unavailable() =>
        FleetError.Of(ErrorKind.Unavailable, "TEMPORARILY_UNAVAILABLE", "Not possible now; connect again later.");

    public static FleetError RevocationsUnknown() => FleetError.Of(
        ErrorKind.Unavailable,
        "REVOCATIONS_UNKNOWN",
        "This gateway does not know who was revoked lately, and admits nobody until it does; connect again later.");

    private static string Text(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
