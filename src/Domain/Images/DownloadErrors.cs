using System.Globalization;

namespace Muster.Domain.Images;

/// <summary>The refusals of downloads that the edge makes itself; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class DownloadErrors
{
    public static FleetError LinkMissing() => FleetError.Of(
        ErrorKind.Denied,
        "LINK_MISSING",
        "The request has no link: fetch the image by the path of the newest desired state, as it stands there.");

    public static FleetError LinkInvalid(string cause) => FleetError.Of(
        ErrorKind.Denied,
        "LINK_INVALID",
        $"The link is not good: {cause}. Say hello; the desired state that answers has another.",
        ("cause", cause));

    public static FleetError LinkExpired(DateTimeOffset at) => FleetError.Of(
        ErrorKind.Denied,
        "LINK_EXPIRED",
        string.Create(
            CultureInfo.InvariantCulture, $"The link was good until {at:O}. Say hello; the desired state that answers has another."),
        ("expired_at", at.ToString("O", CultureInfo.InvariantCulture)));

    /// <summary>As many devices fetch as may at once.</summary>
    /// <param name="of">Of what the limit is: <c>site</c>, <c>gateway</c> or <c>device</c>.</param>
    /// <param name="limit">How many.</param>
    public static FleetError Busy(string of, int limit) => FleetError.Of(
        ErrorKind.Unavailable,
        "DOWNLOADS_BUSY",
        string.Create(CultureInfo.InvariantCulture, $"{limit} downloads of this {of} are under way; come again after Retry-After."),
        ("of", of),
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));
}
