namespace Muster.Domain;

/// <summary>Refusals of requests as such, whatever they ask for; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class RequestErrors
{
    /// <summary>The id repeats a request with another content (AIP-155).</summary>
    public static FleetError IdReused(string requestId) => FleetError.Of(
        ErrorKind.AlreadyExists,
        "REQUEST_ID_REUSED",
        $"The request id '{requestId}' was used for a different request.",
        ("request_id", requestId));
}
