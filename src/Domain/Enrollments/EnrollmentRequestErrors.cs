using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Enrollments;

/// <summary>The refusals of requests; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class EnrollmentRequestErrors
{
    /// <summary>The device is told to come back: an operator decides.</summary>
    public const string WaitsReason = "ENROLLMENT_REQUEST_WAITS";

    /// <summary>The device is told to stay away.</summary>
    public const string DeniedReason = "ENROLLMENT_DENIED";

    public static FleetError NotFound(DeviceId device) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"Device '{device}' has not asked to be let in.", ("device", device.Value));

    /// <summary>Not yet, and not for ever.</summary>
    public static FleetError Waits(DeviceId device)
    {
        var seconds = Seconds(EnrollmentRequestRules.RetryAfter);
        return FleetError.Of(
            ErrorKind.Precondition,
            WaitsReason,
            $"No delivery list expects device '{device}'; its request waits for an operator. Come back in {seconds} s.",
            ("device", device.Value),
            ("retry_after_seconds", seconds));
    }

    public static FleetError Denied(DeviceId device, DateTimeOffset until, DateTimeOffset now)
    {
        var (seconds, end) = (Seconds(until - now), until.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        return FleetError.Of(
            ErrorKind.Denied,
            DeniedReason,
            $"An operator denied device '{device}'; it is not heard until {end}, in {seconds} s.",
            ("device", device.Value),
            ("until", end),
            ("retry_after_seconds", seconds));
    }

    public static FleetError QueueFull(int limit) => FleetError.Of(
        ErrorKind.Exhausted,
        "ENROLLMENT_QUEUE_FULL",
        string.Create(CultureInfo.InvariantCulture, $"{limit} unknown devices wait for an operator already."),
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));

    public static FleetError RateReached(int limit) => FleetError.Of(
        ErrorKind.Exhausted,
        "ENROLLMENT_RATE_REACHED",
        string.Create(CultureInfo.InvariantCulture, $"More than {limit} unknown devices asked to be let in within a minute."),
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));

    public static FleetError ReasonInvalid() => FleetError.Of(
        ErrorKind.Invalid,
        "REQUEST_INVALID",
        $"The denial's reason is not allowed: 1 to {DeviceLifecycle.CauseLengthMax} characters.",
        ("field", "reason"),
        ("rule", $"1 to {DeviceLifecycle.CauseLengthMax} characters"));

    public static FleetError StateInvalid(EnrollmentRequest request, string verb)
    {
        ArgumentNullException.ThrowIfNull(request);
        return FleetError.Of(
            ErrorKind.Precondition,
            "ENROLLMENT_REQUEST_STATE_INVALID",
            $"The request of device '{request.Device}' is {request.State}: '{verb}' is not possible.",
            ("device", request.Device.Value),
            ("state", request.State.ToString()),
            ("verb", verb));
    }

    private static string Seconds(TimeSpan time) => Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
