using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Muster.Domain;

namespace Muster.Gateway.Devices;

/// <summary>A refusal as an HTTP answer to a device: <c>application/problem+json</c> with the reason (RFC 9457).</summary>
internal static class DeviceProblems
{
    public static ProblemHttpResult Of(HttpContext http, FleetError error)
    {
        if (http.Response.Headers.RetryAfter.Count == 0 && RetryAfterOf(error) is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds;
        }

        var problem = new ProblemDetails
        {
            Status = StatusOf(error),
            Title = error.Reason,
            Detail = error.Message,
            Type = "about:blank",
        };
        problem.Extensions["reason"] = error.Reason;
        problem.Extensions["metadata"] = error.Metadata.ToDictionary(detail => detail.Key, detail => detail.Value);
        return TypedResults.Problem(problem);
    }

    /// <summary>What is missing now is there within seconds; a spent budget is that of a minute.</summary>
    private static string? RetryAfterOf(FleetError error) => error.Kind switch
    {
        ErrorKind.Unavailable => "5",
        ErrorKind.Exhausted => "60",
        _ => null,
    };

    private static int StatusOf(FleetError error) => error.Kind switch
    {
        ErrorKind.Invalid => StatusCodes.Status400BadRequest,
        ErrorKind.NotFound => StatusCodes.Status404NotFound,
        ErrorKind.Exhausted => StatusCodes.Status429TooManyRequests,
        ErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status403Forbidden,
    };
}
