using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Muster.Domain;
using RpcStatus = Google.Rpc.Status;

namespace Muster.Gateway.Grpc;

/// <summary>Makes <c>google.rpc.Status</c> of refusals: code, message, <c>ErrorInfo</c> first, then what helps the caller.</summary>
internal static class FleetErrors
{
    /// <summary>The domain of every reason (AIP-193).</summary>
    public const string Domain = "muster.v1";

    /// <summary>A silo that restarts is back in seconds; sooner would only be noise.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public static RpcException ToRpcException(FleetError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var status = Create(CodeOf(error), error.Message, error.Reason, error.Metadata.Select(detail => (detail.Key, detail.Value)));
        switch (error.Kind)
        {
            case ErrorKind.Invalid when !error.Metadata.IsEmpty:
                status.Details.Add(Any.Pack(ToBadRequest(error)));
                break;
            case ErrorKind.Precondition:
                status.Details.Add(Any.Pack(ToPreconditionFailure(error)));
                break;
            case ErrorKind.Exhausted or ErrorKind.Unavailable:
                status.Details.Add(Any.Pack(Retry()));
                break;
            default:
                break;
        }

        return status.ToRpcException();
    }

    /// <summary>All problems of a request at once.</summary>
    public static RpcException Invalid(IReadOnlyCollection<(string Field, string Rule)> problems)
    {
        var text = "The request is invalid: " + string.Join("; ", problems.Select(problem => $"{problem.Field}: {problem.Rule}")) + ".";
        var fields = string.Join(", ", problems.Select(problem => problem.Field).Distinct(StringComparer.Ordinal));
        var status = Create(Code.InvalidArgument, text, "REQUEST_INVALID", [("fields", fields)]);
        var bad = new BadRequest();
        bad.FieldViolations.AddRange(problems.Select(problem => new BadRequest.Types.FieldViolation
        {
            Field = problem.Field,
            Description = problem.Rule,
        }));
        status.Details.Add(Any.Pack(bad));
        return status.ToRpcException();
    }

    /// <summary>The same call may pass later; whether it was carried out is unknown, so that it has to be the same request id.</summary>
    public static RpcException Unavailable(string why)
    {
        var status = Create(Code.Unavailable, why + " Repeat the call with the same request id.", "TEMPORARILY_UNAVAILABLE", []);
        status.Details.Add(Any.Pack(Retry()));
        return status.ToRpcException();
    }

    /// <summary>A bug; the log has it under this id, and nothing of it leaves the host.</summary>
    public static RpcException Internal(string id) =>
        Create(Code.Internal, $"An internal error; the log has it as {id}.", "INTERNAL", [("id", id)]).ToRpcException();

    public static RpcException LimitReached(string what, int limit) => ToRpcException(FleetError.Of(
        ErrorKind.Exhausted,
        "LIMIT_REACHED",
        string.Create(CultureInfo.InvariantCulture, $"There are {limit} {what} at a time at most."),
        ("limit", limit.ToString(CultureInfo.InvariantCulture))));

    private static Code CodeOf(FleetError error) => error.Kind switch
    {
        // The edge does not know who calls: that is not the same as somebody who may not.
        ErrorKind.Denied when error.Reason == "OPERATOR_UNKNOWN" => Code.Unauthenticated,
        ErrorKind.Denied => Code.PermissionDenied,
        ErrorKind.Invalid => Code.InvalidArgument,
        ErrorKind.NotFound => Code.NotFound,
        ErrorKind.AlreadyExists => Code.AlreadyExists,
        ErrorKind.Precondition => Code.FailedPrecondition,
        ErrorKind.Conflict => Code.Aborted,
        ErrorKind.Exhausted => Code.ResourceExhausted,
        ErrorKind.Unavailable => Code.Unavailable,
        ErrorKind.Unspecified => Code.Internal,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown kind {error.Kind}."),
    };

    private static RpcStatus Create(Code code, string message, string reason, IEnumerable<(string Key, string Value)> metadata)
    {
        var details = new ErrorInfo { Domain = Domain, Reason = reason };
        foreach (var (key, value) in metadata)
        {
            details.Metadata[key] = value;
        }

        return new RpcStatus { Code = (int)code, Message = message, Details = { Any.Pack(details) } };
    }

    private static BadRequest ToBadRequest(FleetError error)
    {
        // Some refusals name the field and its rule, others have one entry per field.
        var bad = new BadRequest();
        if (error.Metadata.FirstOrDefault(detail => detail.Key == "field") is { } field)
        {
            bad.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = field.Value, Description = error.Message });
            return bad;
        }

        bad.FieldViolations.AddRange(error.Metadata.Select(detail => new BadRequest.Types.FieldViolation
        {
            Field = detail.Key,
            Description = error.Reason is "ROLLOUT_SPEC_INVALID" or "STRATEGY_INVALID" or "SITE_RULES_INVALID"
                ? detail.Value
                : error.Message,
        }));
        return bad;
    }

    private static PreconditionFailure ToPreconditionFailure(FleetError error) => new()
    {
        Violations =
        {
            new PreconditionFailure.Types.Violation
            {
                Type = error.Reason,
                Subject = error.Metadata.IsEmpty ? "" : $"{error.Metadata[0].Key}/{error.Metadata[0].Value}",
                Description = error.Message,
            },
        },
    };

    private static RetryInfo Retry() => new() { RetryDelay = Duration.FromTimeSpan(RetryDelay) };
}
